"""Find the run that a few letters mean."""

import re
from collections.abc import Iterator
from pathlib import Path

from totalml.errors import RecipeError
from totalml.runs.attempt import RUN_FILE, Attempt, attempts_of
from totalml.target import closest

RUN_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}")
_END_OF_PATH = re.compile(rf"/({RUN_ID.pattern}(?:/\d+)?)/?$")
SHORTEST = 4  # letters of a run id
NAMED = 5
WHAT_IT_CAN_BE = "a run id or its start, <run id>/<attempt>, the folder of an attempt, or a recipe's name"


def find_run(text: str, runs: Path) -> Attempt:
    """The attempt that `text` means; of a run or a recipe, its latest finished one.

    Args:
        text: a run id or a start of it that only one run has, `<run id>/<attempt>`, a folder, or a recipe's name. What
            stands before a run id, as in `runs/<recipe>/<run id>`, is left out.
        runs: the folder of `runtime.runs`.
    Raises: RecipeError: there is none, or several.
    """
    if (folder := Path(text)).is_dir() and (found := _of_folder(folder)):
        return found
    if (runs / text).is_dir() and re.fullmatch(r"[a-z][a-z0-9_]*", text):
        return _latest([runs / text / run.name for run in _runs(runs) if run.parent.name == text], text)
    if end := _END_OF_PATH.search(text):  # as it is seen from the project, or with its recipe
        text = end[1]
    name, _, number = text.partition("/")
    run = _run(name, text, runs)
    return _numbered(run, number) if number else _latest([run], text)


def finished_run(recipe: str, config_hash: str, runs: Path) -> Attempt | None:
    """The latest finished attempt of a recipe with this config hash; None if it has none."""
    same = [attempt for attempt in finished_runs(recipe, runs) if attempt.facts.get("config_hash") == config_hash]
    return same[-1] if same else None


def finished_runs(recipe: str, runs: Path) -> list[Attempt]:
    """Every finished attempt of a recipe, the latest last."""
    return sorted(_finished([run for run in _runs(runs) if run.parent.name == recipe]), key=_ended)


def _of_folder(folder: Path) -> Attempt | None:
    if (folder / RUN_FILE).is_file():
        attempts = attempts_of(folder.absolute().parent)[0]
        return next((attempt for attempt in attempts if attempt.folder.name == folder.absolute().name), None)
    return _latest([folder], str(folder)) if RUN_ID.fullmatch(folder.name) else None


def _run(name: str, text: str, runs: Path) -> Path:
    """The folder of the one run whose id starts with `name`."""
    there = list(_runs(runs))
    found = [run for run in there if run.name.startswith(name)] if len(name) >= SHORTEST else []
    if len(found) == 1:
        return found[0]
    if found:
        raise RecipeError(f"command line: {text!r} is the start of several runs: {_listed(found)}; give more of it")
    names = {run.name for run in there} | {run.parent.name for run in there}
    if near := closest(name, names):
        raise RecipeError(f"command line: there is no run {text!r}, did you mean {near!r}?")
    known = f"the runs there are {_listed(there)}" if there else f"there are no runs in {runs}"
    raise RecipeError(f"command line: there is no run {text!r}; {known}. Give {WHAT_IT_CAN_BE}")


def _numbered(run: Path, number: str) -> Attempt:
    attempts = attempts_of(run)[0]
    found = next((attempt for attempt in attempts if attempt.folder.name == number), None)
    if found is None:
        there = ", ".join(attempt.folder.name for attempt in attempts) or "none"
        raise RecipeError(f"command line: run {run.name} has no attempt {number!r}; there are: {there}")
    return found


def _latest(folders: list[Path], text: str) -> Attempt:
    found = max(_finished(folders), key=_ended, default=None)
    if found is None:
        unfinished = [f"{each.folder.parent.name}/{each.number}" for run in folders for each in attempts_of(run)[0]]
        which = f"; unfinished: {', '.join(unfinished[:NAMED])}, which can be named so" if unfinished else ""
        raise RecipeError(f"command line: {text!r} has no finished attempt{which}")
    return found


def _finished(folders: list[Path]) -> Iterator[Attempt]:
    return (each for run in folders for each in attempts_of(run)[0] if each.status == "finished")


def _ended(attempt: Attempt) -> tuple[str, int]:
    return str(attempt.facts.get("ended", "")), attempt.number


def _runs(runs: Path) -> Iterator[Path]:
    return (folder for folder in sorted(runs.glob("*/*")) if RUN_ID.fullmatch(folder.name))


def _listed(folders: list[Path]) -> str:
    names = [f"{folder.name} ({folder.parent.name})" for folder in folders]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
