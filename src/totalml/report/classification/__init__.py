"""What the page tells of a model that tells classes apart."""
