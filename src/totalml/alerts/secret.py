"""Secrets of channels, which stand in the environment alone."""

from __future__ import annotations

import os

from totalml.errors import AlertError


def secret(variable: str, wanted_by: str) -> str:
    """Raises: AlertError: it is not set."""
    if not (value := os.environ.get(variable, "")):
        raise AlertError(f"{wanted_by}: set the environment variable {variable}")
    return value
