"""`--backend` and `--workers` of a verb that fans out."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from totalml.errors import RecipeError
from totalml.workers.crew import THREADS, Backend, Crew

if TYPE_CHECKING:
    import argparse


def configure_crew(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--backend", choices=get_args(Backend), default="threads", help="what works (threads)")
    parser.add_argument("--workers", type=int, help=f"how many; {THREADS} threads, or all cores, unless given")


def crew_of(arguments: argparse.Namespace) -> Crew:
    """Raises: RecipeError: so many workers there are not."""
    if arguments.workers is not None and arguments.workers < 1:
        raise RecipeError("command line: --workers is a number from 1")
    return Crew(arguments.backend, arguments.workers)
