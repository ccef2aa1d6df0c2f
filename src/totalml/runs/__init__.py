"""Runs: what names them, what their attempts hold, and where their folders lie, here or on any filesystem."""

from totalml.runs.folders import RunFolders
from totalml.runs.opened import open_runs

__all__ = ["RunFolders", "open_runs"]
