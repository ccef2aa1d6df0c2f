"""Rooms that can be called: `totalml.runs` holds code, and `totalml.runs("guinness")` lists runs.

Importing a package puts it in the place of a function of the same name, so the package itself has to answer.
"""

from importlib import import_module
from inspect import Signature, signature
from types import ModuleType
from typing import Any

DOOR = "totalml.notebook"  # where the functions are


class CallableRoom(ModuleType):
    """A package that hands calls to the function of its name."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self._function()(*arguments, **named)

    @property
    def __signature__(self) -> Signature:
        """What notebooks show while a call is typed."""
        return signature(self._function())

    def _function(self) -> Any:
        return getattr(import_module(DOOR), self.__name__.rpartition(".")[2])
