"""A project as it was at a git revision: extracted into a temporary folder, composed by its own code.

Composing a revision runs its code, as checking it out and running it would.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from totalml.comparison import composed
from totalml.comparison.composed import Composed
from totalml.comparison.sources import Sources
from totalml.errors import RecipeError
from totalml.own_code import HOME, OURS, imported_sources, python_files

PARTS = ("conf", "recipes", "src/totalml")
TIMEOUT_S = 120
TODAY = "composed by today's code, because that revision's own code cannot"


@dataclass(frozen=True)
class Revision:
    """Args:
    name: as the user wrote it.
    commit: its full hash.
    recipes: by name.
    notes: what a reader must know about how they were composed, by name.
    """

    name: str
    commit: str
    recipes: dict[str, Composed]
    notes: dict[str, str]


def read_revision(project: Path, name: str) -> Revision:
    """Compose every recipe that the project had at a revision.

    Raises: RecipeError: this is no git repository, or it has no such revision or no recipes there.
    """
    commit = commit_of(project, name)
    with _extracted(project, commit) as tree:
        recipes, notes = _composed(tree)
    return Revision(name, commit, recipes, notes)


def commit_of(project: Path, revision: str) -> str:
    """The full hash of a revision."""
    try:
        return git(project, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
    except RecipeError as error:
        reason = f"; {error}" if "not a git repository" in str(error) else ""
        raise RecipeError(f"command line: git knows no revision {revision!r} in {project}{reason}") from error


def file_at(project: Path, commit: str, path: str) -> str | None:
    """The text of a file at a revision; None if it was not there."""
    try:
        return git(project, "show", f"{commit}:./{path}")
    except RecipeError:
        return None


def code_at(project: Path, commit: str, packages: Iterable[str]) -> Sources | None:
    """The sources of totalml, of packages and of what these import, at a commit; None if git does not have them."""
    try:
        with _extracted(project, commit) as tree:
            ours = python_files(tree / "src" / OURS)
            return {**({OURS: ours} if ours else {}), **imported_sources(tree, packages)}
    except RecipeError:
        return None


def git(project: Path, *arguments: str) -> str:
    """What git prints as text.

    Raises: RecipeError: git is not there or refuses, in its words.
    """
    return _git(project, *arguments).decode(errors="replace")


def _git(project: Path, *arguments: str) -> bytes:
    command = ["git", "-C", str(project), *arguments]
    try:
        return subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT_S).stdout  # noqa: S603
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise RecipeError(f"git {arguments[0]} refuses: {said or 'no reason given'}") from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RecipeError(f"git cannot be run: {error}") from error


@contextmanager
def _extracted(project: Path, commit: str) -> Iterator[Path]:
    """A temporary folder with the project's parts as they were."""
    there = git(project, "ls-tree", "--name-only", commit, *PARTS).split()
    if not {"conf", "recipes"} <= set(there):
        raise RecipeError(f"command line: revision {commit[:12]} has no conf/ and recipes/ in {project}")
    archive = _git(project, "archive", "--format=tar", commit, *there)
    with tempfile.TemporaryDirectory(prefix="totalml-revision-") as folder:
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                _extract(tar, Path(folder))
        except tarfile.TarError as error:
            raise RecipeError(f"revision {commit[:12]} cannot be extracted: {error}") from error
        yield Path(folder)


def _extract(tar: tarfile.TarFile, folder: Path) -> None:
    """Raises: tarfile.TarError: something leads out of the folder."""
    if hasattr(tarfile, "data_filter"):
        tar.extractall(folder, filter="data")
        return
    root = folder.resolve()  # Python before 3.11.4, as Debian 12 has it
    for member in tar.getmembers():
        place = root / member.name
        reached = [place.resolve(), *([(place.parent / member.linkname).resolve()] if member.linkname else [])]
        if not (member.isfile() or member.isdir() or member.issym()) or not all(
            each.is_relative_to(root) for each in reached
        ):
            raise tarfile.TarError(f"{member.name!r} leads out of the folder")
        tar.extract(member, root)


def _composed(tree: Path) -> tuple[dict[str, Composed], dict[str, str]]:
    today = HOME.parent
    own = tree / "src" if (tree / "src").is_dir() else today
    theirs, said = _run_script(tree, own)
    failed = theirs is None or any(recipe.mistakes for recipe in theirs.values())
    ours = _run_script(tree, today)[0] if own != today and failed else None
    if theirs is None and ours is None:
        raise RecipeError(f"that revision cannot be composed: {said}")
    recipes, notes = {}, {}
    for name in {**(theirs or {}), **(ours or {})}:
        mine, other = (theirs or {}).get(name), (ours or {}).get(name)
        by_today = other is not None and not other.mistakes and (mine is None or bool(mine.mistakes))
        recipes[name] = _shown(other if by_today and other else mine or other or Composed(), tree)
        if by_today:
            notes[name] = TODAY
    return recipes, notes


def _run_script(tree: Path, code: Path) -> tuple[dict[str, Composed] | None, str]:
    """What the script composed with the totalml that lies in `code`, or the last line of what it said."""
    # -P: the folder of the script must not hide the standard library's modules.
    command = [sys.executable, "-P", composed.__file__, str(tree), str(tree), str(code)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, cwd=tree, check=False)  # noqa: S603
        return composed.read(done.stdout), ""
    except subprocess.TimeoutExpired:
        return None, f"it took more than {TIMEOUT_S} s"
    except (ValueError, TypeError, KeyError):
        return None, (done.stderr.strip().splitlines() or ["no reason given"])[-1]


def _shown(recipe: Composed, tree: Path) -> Composed:
    """Mistakes name files of the project, not of a folder that is gone."""
    return replace(recipe, mistakes=tuple(line.replace(f"{tree}/", "") for line in recipe.mistakes))
