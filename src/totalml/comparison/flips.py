"""The pictures that two runs say different things of."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import StoreError
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.comparison.side_by_side import Flip, SideBySide
    from totalml.data import Snapshot

MOST_SHOWN = 12  # of each kind
SIZE_PX = 128
BUDGET_BYTES = 400_000  # of the pictures of all runs together


class Pictures:
    """Args:
    store: root of the store on this machine.
    """

    def __init__(self, store: Path) -> None:
        self._store = store

    def uris(self, data_hash: str, ids: Sequence[str], budget_bytes: int) -> dict[str, str]:
        """Sample id -> its picture; empty where the store no longer has the snapshot."""
        import numpy as np

        from totalml.features.shown import pictures_of
        from totalml.report.pictures import thumbnails
        from totalml.store import Store

        try:
            snapshot = _snapshot(data_hash, self._store)
        except StoreError:
            return {}
        found = pictures_of(ids, snapshot, Store(self._store), SIZE_PX)
        if not found:
            return {}
        made = thumbnails(np.stack(list(found.values())), budget_bytes)
        return dict(zip(found, made.uris, strict=False))


@cache
def _snapshot(data_hash: str, root: Path) -> Snapshot:
    from totalml.data import load_snapshot
    from totalml.store import Store

    return load_snapshot(data_hash, Store(root))


def flips(names: Sequence[str], others: Sequence[SideBySide], pictures: Pictures) -> Html:
    budget = BUDGET_BYTES // len(others)
    parts = [_of(names[0], name, beside, pictures, budget) for name, beside in zip(names[1:], others, strict=True)]
    return section("pictures", "Judged differently", *parts)


def _of(first: str, name: str, beside: SideBySide, pictures: Pictures, budget: int) -> Html:
    lost, gained = (
        ("Lost: {} was right, {} is wrong", "Gained: {} was wrong, {} is right")
        if beside.paired and beside.paired.share
        else ("Farther off than {}: {}", "Closer than {}: {}")
    )
    kinds = {
        lost.format(first, name): [flip for flip in beside.flips if flip.lost],
        gained.format(first, name): [flip for flip in beside.flips if flip.gained],
        "Wrong in another way": [flip for flip in beside.flips if not flip.lost and not flip.gained],
    }
    cut = [flip.id for kind in kinds.values() for flip in kind[:MOST_SHOWN]]
    uris = pictures.uris(beside.other.facts["data_hash"], cut, budget)
    shown = [_group(title, kind, uris, first, name) for title, kind in kinds.items() if kind]
    title = tag("h3", f"{name} against {first} ", tag("small", counted(len(beside.flips), "test sample")))
    return joined(title, *(shown or [tag("p", "Both say the same of every test sample that they share.")]))


def _group(title: str, kind: Sequence[Flip], uris: dict[str, str], first: str, name: str) -> Html:
    more = f", {MOST_SHOWN} shown" if len(kind) > MOST_SHOWN else ""
    cards = [_card(flip, uris.get(flip.id), first, name) for flip in kind[:MOST_SHOWN]]
    heading = tag("h4", title, " ", tag("small", f"{counted(len(kind), 'sample')}{more}"))
    return joined(heading, tag("ul", *cards, class_="cards-wrong flips"))


def _card(flip: Flip, uri: str | None, first: str, name: str) -> Html:
    before, after = flip.before, flip.after
    alt = f"Sample {flip.id[:80]}: label {after.true[:40]}, before {before.said[:40]}, now {after.said[:40]}"
    picture = tag("img", src=uri, alt=alt, width=SIZE_PX, height=SIZE_PX) if uri else ""
    says = [
        tag("span", f"{run}: ", name_of(one.said, 18), f" {one.remark}", class_="said" if run == name else None)
        for run, one in ((first, before), (name, after))
    ]
    below = [*says, tag("span", "label: ", name_of(after.true, 24), class_="label")]
    ident = tag("span", name_of(flip.id, 28), class_="ident")
    return tag("li", tag("figure", picture, tag("figcaption", *below, ident)), title=flip.id[:160])
