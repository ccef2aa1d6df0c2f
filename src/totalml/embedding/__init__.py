"""What a frozen image backbone makes of the pictures of a feature set, computed once and shared by all runs."""

from totalml.embedding.build import embed

__all__ = ["embed"]
