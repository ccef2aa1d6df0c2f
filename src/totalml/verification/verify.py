"""Run again in a clean folder and tell whether the same comes out: identical, within tolerance, or different.

  totalml verify guinness_smoke                      the recipe and its source as they stand, against its latest run
  totalml verify guinness_smoke runtime.threads=1    with another value
  totalml verify 4f1c2a9b-77d0e3a1                   that run's stored recipe and stored snapshot

If it differs, the first place is named (data, features, step n of training, evaluation) and everything that is not
the same between the two: recipe, data, code, packages, device, threads. The tolerance is the recipe's. Exit code 0
if identical or within tolerance, 1 if different.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.project import Place

DIFFERENT = 1


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "what", help="a recipe's name, or a run: its id or the start of it, <run id>/<attempt>, a folder"
    )
    parser.add_argument("overrides", nargs="*", default=[], metavar="key=value", help="of a recipe, as for run.py")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the second run there instead of removing it")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    if arguments.keep:
        return _verify(arguments, place, _empty(Path(arguments.keep)))
    with tempfile.TemporaryDirectory(prefix="totalml-verify-") as folder:
        return _verify(arguments, place, Path(folder))


def _verify(arguments: argparse.Namespace, place: Place, folder: Path) -> int:
    from totalml.comparison.compared import compare
    from totalml.comparison.side import origins_of, run_side
    from totalml.component import plain
    from totalml.verification.rerun import reference_of, rerun
    from totalml.verification.verdict import judge

    reference = reference_of(arguments.what, arguments.overrides, place)
    again = rerun(reference, place, folder)
    verdict = judge(reference.attempt, again.attempt, reference.recipe.tolerance)
    values = plain(reference.recipe, where=True)
    origins = origins_of(place.project, reference.file, values) if reference.file else None
    sides = run_side("before", reference.attempt), replace(run_side("again", again.attempt), origins=origins)
    comparison = compare(*sides, again.place)
    if arguments.json:
        print(json.dumps(verdict.as_json() | {"comparison": comparison.as_json()}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(verdict.lines(comparison)))
    return 0 if verdict.reproduced else DIFFERENT


def _empty(folder: Path) -> Path:
    """Raises: RecipeError: something lies there, or it is no folder; the second run must rest on nothing."""
    from totalml.errors import RecipeError

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RecipeError(f"command line: --keep {folder} is not empty, or no folder; give a new one")
    return folder.absolute()
