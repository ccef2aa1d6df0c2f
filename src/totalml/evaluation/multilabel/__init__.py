"""How good a model is that gives each sample any number of labels."""
