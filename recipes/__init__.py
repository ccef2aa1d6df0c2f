"""Recipes: one experiment a file, and the code and card each one brings."""
