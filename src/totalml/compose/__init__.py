"""Hydra glue: from a command line to a validated recipe, with every mistake at its file and line."""

from totalml.compose.command_line import compose_recipe, main

__all__ = ["compose_recipe", "main"]
