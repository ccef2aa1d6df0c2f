"""What the page tells of a model that gives each sample any number of labels."""
