"""Clean the store: what no run, pinned recipe or alias reaches, and nobody has used for a week, is removed.

  totalml store gc --dry-run          what would go, how large it is, and why the rest stays
  totalml store gc                    remove it
  totalml store gc --older-than 30    only what was not used for 30 days

Copies of remote stores on this machine are cleaned as well; at a URL itself nothing is ever removed. Whatever goes can
be made again from its source; runs are never touched.
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError, StoreError

if TYPE_CHECKING:
    from totalml.garbage.collect import Verdict
    from totalml.garbage.roots import Surroundings
    from totalml.project import Place

DAY_S = 86400.0
UNITS = ("B", "kB", "MB", "GB", "TB")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="remove nothing, say what would go")
    parser.add_argument(
        "--older-than", type=float, default=7.0, metavar="DAYS", help="what was used since then stays anyway (7)"
    )


def run(arguments: argparse.Namespace, place: Place) -> int:
    days = arguments.older_than
    if not 0 <= days < math.inf:
        raise RecipeError(f"command line: --older-than {days:g}: expected a number of days from 0")
    if not place.store.is_dir():
        raise RecipeError(f"command line: there is no store {place.store}; say where it lies by --store")
    for around in _stores(place):
        print(f"{around.store}:")
        verdicts = _clean(around, time.time() - days * DAY_S, arguments.dry_run)
        print("\n".join(_told(verdicts, arguments.dry_run)))
    return 0


def _stores(place: Place) -> Iterator[Surroundings]:
    """The store and this machine's copies of remote ones, each with all run folders that may refer to it.

    Raises: StoreError: the runs of a folder are not there.
    """
    from totalml.garbage.contents import REMOTE
    from totalml.garbage.roots import Surroundings
    from totalml.recipe import RuntimeRecipe
    from totalml.store import Store

    copies = {*(place.store / REMOTE).glob("*"), *(place.project / RuntimeRecipe().cache).glob("*")} - {place.store}
    stores = [place.store, *(copy for copy in sorted(copies) if _is_store(copy))]
    beside = [place.runs, *(copy for copy in sorted(copies) if copy.is_dir() and not _is_store(copy))]
    referring = {file: runs for store in stores for file, runs in Store(store).referrers().items()}
    if gone := [(file, runs) for file, runs in referring.items() if not runs.is_dir()]:
        listed = "\n".join(f"  {runs}; if they are gone for good, delete {file}" for file, runs in gone)
        raise StoreError(f"nothing is removed, because runs that use the store are not there:\n{listed}")
    runs = tuple(dict.fromkeys([*beside, *referring.values()]))
    for store in stores:
        yield Surroundings(store, place.project, runs)


def _is_store(folder: Path) -> bool:
    return any((folder / part).is_dir() for part in ("packs", "snapshots", "stages", "locks"))


def _clean(around: Surroundings, before: float, dry_run: bool) -> list[Verdict]:
    from totalml.garbage.collect import judge, remove
    from totalml.garbage.roots import reached
    from totalml.store import Store
    from totalml.store.atomic import explained

    store = Store(around.store)
    with ExitStack() as held:
        if not dry_run:  # nobody takes a snapshot meanwhile, which may need what nothing reaches yet
            for name in ("snapshots", "blobs"):
                held.enter_context(store.lock(name))
        verdicts = judge(store.root, reached(around), before)
        if dry_run:
            return verdicts
        with explained(store.root):
            return [replace(each, needed_by=each.needed_by or remove(each.thing, before)) for each in verdicts]


def _told(verdicts: Sequence[Verdict], dry_run: bool) -> Iterator[str]:
    goes = [verdict for verdict in verdicts if verdict.needed_by is None]
    stays = [verdict for verdict in verdicts if verdict.needed_by is not None]
    for verdict in goes:
        yield f"  {'would go' if dry_run else 'gone'}  {_size([verdict]):>8}  {verdict.thing.name}"
    for kind in dict.fromkeys(verdict.thing.kind for verdict in stays):
        of_kind = [verdict for verdict in stays if verdict.thing.kind == kind]
        reasons = Counter(verdict.needed_by for verdict in of_kind)
        why = ", ".join(f"{count} for {reason}" for reason, count in reasons.most_common())
        yield f"  {'stays':<8}  {_size(of_kind):>8}  {kind}: {why}"
    yield f"  {_size(goes)} in {len(goes)} things {'would go' if dry_run else 'are gone'}; {_size(stays)} stay"


def _size(verdicts: Sequence[Verdict]) -> str:
    size = float(sum(verdict.size for verdict in verdicts))
    for unit in UNITS:
        if size < 1000 or unit == UNITS[-1]:
            break
        size /= 1000
    return f"{size:.3g} {unit}"
