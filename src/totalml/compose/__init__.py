"""Hydra glue: from a command line to a validated recipe, with every mistake at its file and line.

`totalml.compose("guinness", "training.epochs=5")` composes from Python; see `totalml.notebook`.
"""

import sys
from typing import TYPE_CHECKING

from totalml.callable_room import CallableRoom
from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.compose.command_line import compose_recipe, main

__all__ = ["compose_recipe", "main"]

__getattr__ = lazy_exports(__name__)

sys.modules[__name__].__class__ = CallableRoom
