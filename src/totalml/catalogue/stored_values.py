"""What the store keeps of the values of shared features."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.duration import us_of
from totalml.features.shared.materialised import EVENT_TIME, MANIFEST, ROOM, VALUES

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.store import Store


@dataclass(frozen=True)
class Kept:
    """Args:
    data_hash: of the source that the values were made of.
    latest: the time of its latest event; None: there is none.
    """

    folder: Path
    id: str
    definition: Mapping[str, Any]
    data_hash: str
    rows: int
    latest: datetime | None

    def values(self) -> pa.Table:
        """As `totalml.features.shared.materialised.materialised` gives them."""
        import pyarrow.parquet as pq

        return pq.read_table(self.folder / VALUES)


def kept_values(store: Store) -> dict[str, Kept]:
    """Of each id those that reach furthest in time; what is damaged does not count, as it is made again."""
    found: dict[str, Kept] = {}
    for manifest in sorted((store.root / ROOM).glob(f"*/{MANIFEST}")):
        try:
            told = json.loads(manifest.read_text(encoding="utf-8"))
            latest = _latest(manifest.with_name(VALUES))
            kept = Kept(manifest.parent, told["id"], told["definition"], told["data_hash"], int(told["rows"]), latest)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):  # Arrow's are of these
            continue
        if kept.id not in found or _when(kept) > _when(found[kept.id]):
            found[kept.id] = kept
    return found


def freshness(definition: Mapping[str, Any], kept: Kept | None, now: datetime) -> str:
    """How far the values reach that are kept of a feature, held against its ttl."""
    if not definition["source"]:
        return "rows of the recipe"
    if kept is None:
        return "not materialised"
    if kept.latest is None:
        return "no rows"
    told = f"until {kept.latest:%Y-%m-%d %H:%M}"
    ttl = definition["ttl"]
    if ttl is None:
        return told
    held = (now - kept.latest).total_seconds() * 1e6 <= us_of(ttl)
    return f"{told}, {'within' if held else 'older than'} its ttl of {ttl}"


def _when(kept: Kept) -> datetime:
    return kept.latest or datetime.min.replace(tzinfo=UTC)


def _latest(values: Path) -> datetime | None:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    latest: datetime | None = pc.max(pq.read_table(values, columns=[EVENT_TIME])[EVENT_TIME]).as_py()
    return latest
