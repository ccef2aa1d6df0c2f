"""How good a model is that tells classes apart."""
