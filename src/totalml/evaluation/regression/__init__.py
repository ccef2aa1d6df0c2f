"""How good a model is that predicts numbers."""
