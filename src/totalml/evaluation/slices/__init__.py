"""Where the model is right less often: groups of samples that the recipe names, and groups that a search finds."""
