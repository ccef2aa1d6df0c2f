"""Where the folders of runs lie, on this machine or on any filesystem."""

from totalml.runs.folders import RunFolders
from totalml.runs.opened import open_runs

__all__ = ["RunFolders", "open_runs"]
