"""A release behind HTTP: no torch, no code of a recipe; it follows its alias without dropping a request."""
