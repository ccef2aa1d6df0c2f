"""Tell Weights & Biases which releases there are of tracked runs, and where the aliases of the registry point.

What is to be told is kept nowhere but in the journal: W&B is brought to what it says, from what `tracking.json` says
that W&B knows. So nothing is lost when a backend is away, and whatever is told twice is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.errors import StoreError
from totalml.identity import short
from totalml.registry import Aliases
from totalml.runs.attempt import attempts_of
from totalml.tracking.record import TRACKING_FILE, TrackingRecord

if TYPE_CHECKING:
    from totalml.registry import Promotion
    from totalml.store import Store

PATIENCE_S = 20.0  # of somebody who promotes or rolls back
HASH_DIGITS = 12  # of a bundle hash, as an alias: `guinness-release:4f1c2a9b77d0`
FACTS = ("run_id", "attempt", "config_hash", "data_hash", "backend")


@dataclass(frozen=True)
class _Known:
    """A release of a tracked run that has arrived.

    Args:
        folder: of the attempt.
        aliases: that point at it now, sorted.
    """

    release: str
    folder: Path
    record: TrackingRecord
    aliases: tuple[str, ...]

    @property
    def where(self) -> tuple[str, str | None]:
        return self.record.project, self.record.entity

    @property
    def told(self) -> tuple[str, ...]:
        """Aliases that W&B has at this release, as far as it was told."""
        return self.record.aliases if self.record.release == self.release else ()


def tell_releases(
    model: str, store: Store, runs: Path, say: Callable[[str], None], patience_s: float = PATIENCE_S
) -> bool:
    """Bring W&B to where the aliases of a model point now; of runs that never arrived there it is told nothing.

    It raises nothing: what was registered or promoted stays so.

    Args:
        runs: folders of `<recipe>/<run id>/<attempt>/`.
        patience_s: how long the backend is waited for, for each release.
    Returns: whether W&B knows all of it.
    """
    try:
        if not any((runs / model).glob(f"*/*/{TRACKING_FILE}")):
            return True
        with store.lock(f"tracking-{model}"):
            known = _known(Aliases(store, model).history(), runs / model)
            return all(_tell(each, known, model, store, say, patience_s) for each in known)
    except StoreError as error:
        say(f"W&B was not told of the releases of {model}: {error}")
        return False


def _known(history: Sequence[Promotion], recipe: Path) -> list[_Known]:
    """In the order in which they were registered, which is that of W&B's versions."""
    points = {each.alias: each.release for each in history}
    found = []
    for promotion in {each.version: each for each in history if each.release}.values():
        folder = promotion.folder(recipe)
        record = TrackingRecord.load(folder)
        if record and record.sent and any(map(promotion.names, attempts_of(folder.parent)[0])):
            aliases = tuple(sorted(alias for alias, release in points.items() if release == promotion.release))
            found.append(_Known(promotion.release, folder, record, aliases))
    return found


def _tell(
    one: _Known, known: Sequence[_Known], model: str, store: Store, say: Callable[[str], None], patience_s: float
) -> bool:
    """Whether W&B knows it; says so if it has just been told, or could not be."""
    taken = {alias for each in known if each.where == one.where for alias in each.aliases}
    withdrawn = sorted({*one.told} - taken)
    if one.record.release != one.release or {*one.aliases} - {*one.told} or withdrawn:
        if problem := _send(one, withdrawn, model, store, patience_s):
            say(f"W&B was not told of release {short(one.release, HASH_DIGITS)}: {problem}; totalml track sync does it")
            return False
        named = ", ".join(one.aliases) or "no alias"
        say(f"W&B: {model}-release:{short(one.release, HASH_DIGITS)} is there, with {named}")
    if (one.release, one.aliases) != (one.record.release, one.record.aliases):
        replace(one.record, release=one.release, aliases=one.aliases).save(one.folder)
    return True


def _send(one: _Known, withdrawn: Sequence[str], model: str, store: Store, patience_s: float) -> str | None:
    """What went wrong."""
    from totalml.release.bundle import MANIFEST, open_bundle
    from totalml.tracking.companion import asked

    bundle = open_bundle(one.release, store)
    bundle.verify()
    job: Mapping[str, Any] = {
        "name": f"{model}-release",
        "folder": str(bundle.folder.absolute()),
        "files": [MANIFEST, *bundle.files],
        "metadata": {"release": one.release, **{key: bundle.facts[key] for key in FACTS}},
        "aliases": [short(one.release, HASH_DIGITS), *one.aliases],
        "withdrawn": withdrawn,
        "patience_s": patience_s,
        **{key: getattr(one.record, key) for key in ("id", "project", "entity")},
    }
    problem = asked({"do": "release", **job}, patience_s).get("problem")
    return None if problem is None else str(problem)
