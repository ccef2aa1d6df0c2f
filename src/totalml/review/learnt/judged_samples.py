"""Samples that people judged: of the parent snapshot, or new ones, such as requests of the log with their pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from totalml.errors import StoreError
from totalml.identity import PREFIX
from totalml.review.figures.resolved import Resolution, resolutions
from totalml.review.item import ASK_LABEL

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature
    from totalml.review.figures.judgements import Judgements
    from totalml.review.item import Item
    from totalml.store import Store

NEW = "review/"  # how ids of new samples begin
GONE = "its picture was deleted, or is no longer kept"
UNKNOWN = "the log no longer has its request"
STRANGE = "most people see another subject"

Request = Mapping[str, Any]


@dataclass(frozen=True)
class JudgedSample:
    """Args:
    id: in the parent, or a new one.
    picture: of a new one, as it was sent; None: the model sees none.
    facts: of a new one, column of metadata -> value.
    """

    id: str
    together: Resolution
    is_new: bool = False
    picture: bytes | None = None
    facts: Request = field(default_factory=dict)
    group: str | None = None
    time: datetime | None = None


def judged_samples(
    judged: Judgements, settings: ReviewRecipe, parent: Snapshot, store: Store, bundle: Bundle
) -> tuple[list[JudgedSample], list[tuple[str, str]]]:
    """Each sample that has a vote once, sorted by id; and what is left out, with the reason.

    Raises: StoreError: the log or the store cannot be read.
    """
    together = resolutions(judged, settings)
    items = [each for name, each in sorted(judged.items.items()) if each.ask == ASK_LABEL and name in together]
    sources = _Sources(store, bundle, parent, {each.request_id for each in items if each.request_id})
    found: dict[str, JudgedSample] = {}
    left_out = []
    for item in items:
        if together[item.item].wrong_subject:
            left_out.append((_named(item), STRANGE))
        elif together[item.item].votes:
            sample = sources.sample(item, together[item.item])
            if isinstance(sample, str):
                left_out.append((_named(item), sample))
            else:
                found[sample.id] = _both(found.get(sample.id), sample)
    return [found[name] for name in sorted(found)], left_out


class _Sources:
    """Where samples come from: the parent snapshot, the log, the pictures that are kept."""

    def __init__(self, store: Store, bundle: Bundle, parent: Snapshot, requests: Iterable[str]) -> None:
        from totalml.release.signature import Signature

        ids, blobs = (parent.samples[name].to_pylist() for name in ("id", "blob"))
        self._ids, self._by_blob = {*ids}, dict(zip(blobs, ids, strict=True))
        self._store, self._sees = store, Signature.read(bundle).picture is not None
        self._unit = (bundle.recipe.get("monitoring") or {}).get("unit")
        self._requests = _requests(store, bundle.name, Signature.read(bundle), requests)

    def sample(self, item: Item, together: Resolution) -> JudgedSample | str:
        """A text says why there is none."""
        if item.data_hash is not None and item.sample is not None and item.sample in self._ids:
            return JudgedSample(item.sample, together)
        picture = self._picture(item) if self._sees else None
        if self._sees and picture is None:
            return GONE
        if picture is not None and (known := self._by_blob.get(_blob(picture))):
            return JudgedSample(known, together)
        asked = self._requests.get((item.request_id or "", item.id))
        if asked is None and (item.request_id or not self._sees):
            return UNKNOWN
        asked = asked or {"time": item.time, "facts": item.facts}
        hashed = item.input or (_blob(picture) if picture is not None else item.item)
        name = f"{NEW}{hashed.removeprefix(PREFIX)}"
        if name in self._ids:
            return JudgedSample(name, together)
        unit = asked["facts"].get(self._unit)
        group = name if unit is None else str(unit)
        return JudgedSample(name, together, True, picture, asked["facts"], group, asked["time"])

    def _picture(self, item: Item) -> bytes | None:
        from totalml.review.pictures import raw_picture

        for name in item.pictures:
            try:
                return raw_picture(name, self._store)
            except StoreError:
                continue
        return None


def _requests(
    store: Store, model: str, signature: Signature, ids: Iterable[str]
) -> dict[tuple[str, str | None], Request]:
    """Request and sample of it -> when it came and its metadata, as far as the log has them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from totalml.prediction_log.columns import typed
    from totalml.prediction_log.reader import LogReader
    from totalml.release.log_rows import METADATA, columns_after

    wanted = pa.array(sorted(ids), pa.string())
    if not len(wanted):
        return {}
    columns = [f"{METADATA}{name}" for name in (*signature.columns, *signature.context)]
    rows = typed(LogReader(store, model).read(["request_id", "id", "time", *columns]))
    rows = rows.filter(pc.is_in(rows["request_id"], value_set=wanted))
    facts = columns_after(METADATA, rows).to_pylist() if columns else [{} for _ in range(len(rows))]
    keys = zip(rows["request_id"].to_pylist(), rows["id"].to_pylist(), strict=True)
    about = zip(keys, rows["time"].to_pylist(), facts, strict=True)
    return {key: {"time": time, "facts": known} for key, time, known in about}


def _both(one: JudgedSample | None, other: JudgedSample) -> JudgedSample:
    """Of two requests with the same content; where people say different things of them nothing is decided."""
    if one is None:
        return other
    mine, theirs = one.together, other.together
    votes = mine.votes + theirs.votes
    label = mine.label if mine.label == theirs.label else None
    known = [label for label, _ in mine.shares]
    labels = [*known, *(label for label, _ in theirs.shares if label not in known)]
    shares = tuple((each, sum(_share(part, each) * part.votes for part in (mine, theirs)) / votes) for each in labels)
    return replace(one, together=Resolution(label, votes, shares))


def _share(together: Resolution, label: Mapping[str, Any]) -> float:
    return next((share for each, share in together.shares if each == label), 0.0)


def _blob(picture: bytes) -> str:
    from blake3 import blake3

    return f"{PREFIX}{blake3(picture).hexdigest()}"


def _named(item: Item) -> str:
    return item.request_id or item.sample or item.item
