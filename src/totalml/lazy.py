"""Packages that import what they export only when it is asked for, so that importing a room costs nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any


def lazy_exports(package: str) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose exports stand under `if TYPE_CHECKING`, as the type checker reads them."""

    def export(name: str) -> Any:
        if name not in (homes := _homes(package)):
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return export


@cache
def _homes(package: str) -> dict[str, str]:
    """Exported name -> module."""
    text = Path(str(sys.modules[package].__file__)).read_text(encoding="utf-8")
    blocks = [node for node in ast.parse(text).body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.name: str(node.module) for node in imports for alias in node.names}
