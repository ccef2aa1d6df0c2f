"""Runs: what names them, what their attempts hold, and where their folders lie, here or on any filesystem.

`totalml.runs("guinness")` lists those of a recipe; see `totalml.notebook`.
"""

import sys

from totalml.callable_room import CallableRoom
from totalml.runs.folders import RunFolders
from totalml.runs.opened import open_runs

__all__ = ["RunFolders", "open_runs"]

sys.modules[__name__].__class__ = CallableRoom
