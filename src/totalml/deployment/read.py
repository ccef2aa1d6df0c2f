"""Read a file of `deployments/`, or say every mistake in it with its line. Nothing in it is ever executed."""

from __future__ import annotations

from pathlib import Path

from totalml.compose.section_file import read_section
from totalml.deployment.deployment import Deployment


def read_deployment(file: Path, name: str) -> Deployment:
    """Args:
        name: the file as shown.
    Raises: RecipeError: it is not there, no plain YAML, or no deployment; all mistakes at once.
    """
    return read_section(Deployment, file, name, "deployment")
