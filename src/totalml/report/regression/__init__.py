"""What the page tells of a model that predicts numbers."""
