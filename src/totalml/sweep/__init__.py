"""Sweeps: many runs of one recipe, each validated first, none repeated, and the best one named at the end."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.compose.command_line import Job

__all__ = ["sweep"]


def sweep(project: Path, arguments: list[str], job: "Job") -> None:
    """Run the jobs that a command line with `-m`, or a recipe's own `sweep`, asks for.

    Args:
        arguments: as Hydra reads them.
    Raises:
        RecipeError: with the mistakes of all jobs; none was started.
        SweepError: some jobs failed.
        Interrupted: Ctrl-C; the same command goes on.
    """
    from totalml.sweep.start import start

    start(project, arguments, job)
