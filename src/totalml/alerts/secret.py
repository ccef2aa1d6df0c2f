"""Secrets of channels, which stand in the environment alone."""

from __future__ import annotations

import os

from totalml.errors import AlertError


def secret(variable: str) -> str:
    """Raises: AlertError: it is not set."""
    if not (value := os.environ.get(variable, "")):
        raise AlertError(f"set the environment variable {variable}, which holds its secret")
    return value
