"""What a model looks at, and whether that is what it ought to look at."""
