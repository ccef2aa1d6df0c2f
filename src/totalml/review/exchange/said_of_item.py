"""One verdict in a file: of which item, who gave it, and what it says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.review.figures.judgements import Judgements

PARQUET, JSON = ".parquet", ".json"
MOST_BYTES = 2**28  # of a file that is read
COLUMNS = ("item", "who", "when", "answer", "seconds", "comment", "queue", "ask", "request_id", "id", "sample")


@dataclass(frozen=True)
class SaidOfItem:
    """Args:
    where: in the file, for a message.
    who: empty: the file does not say.
    answer: as `Verdict` holds it, not checked yet.
    """

    where: str
    item: str
    who: str
    when: str
    answer: Mapping[str, Any]
    seconds: float = 0.0
    comment: str = ""


def write_parquet(file: Path, judged: Judgements) -> None:
    """A row for each verdict that stands, oldest first; `answer` is JSON."""
    import pyarrow as pa

    from totalml.data.snapshot import parquet_bytes
    from totalml.store.atomic import write_atomically

    rows = []
    for each in judged.verdicts:
        item, answer = judged.items[each.item], json.dumps(dict(each.answer), ensure_ascii=False)
        about = (item.queue, item.ask, item.request_id, item.id, item.sample)
        rows.append((each.item, each.who, each.when, answer, each.seconds, each.comment, *about))
    kinds = [pa.float64() if name == "seconds" else pa.string() for name in COLUMNS]
    columns = [*zip(*rows, strict=True)] or [()] * len(COLUMNS)
    table = pa.table({name: pa.array(cells, kind) for name, cells, kind in zip(COLUMNS, columns, kinds, strict=True)})
    write_atomically(file, parquet_bytes(table))


def read_parquet(file: Path) -> list[SaidOfItem]:
    """Columns item and answer, and who, when, seconds and comment where it has them.

    Raises: DataError: names all that is wrong.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        rows = pq.ParquetFile(file).read().to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{file} cannot be read: {error}") from error
    found, wrong = [], []
    for number, row in enumerate(rows, start=1):
        where = f"row {number}"
        answer = _object(row.get("answer"))
        if not isinstance(row.get("item"), str) or answer is None:
            wrong.append(f"{where}: wants a text in item, and a JSON object in answer")
            continue
        texts = (row.get(name) or "" for name in ("who", "when"))
        who, when = (text if isinstance(text, str) else "" for text in texts)
        found.append(
            SaidOfItem(
                where, row["item"], who, when, answer, _number(row.get("seconds")), str(row.get("comment") or "")
            )
        )
    require_none(file, wrong)
    return found


def require_none(file: Path, wrong: Sequence[str]) -> None:
    """Raises: DataError: with all that is wrong, or how much it is."""
    if wrong:
        more = [f"  ... and {len(wrong) - 20} more"] if len(wrong) > 20 else []
        raise DataError("\n".join([f"nothing of {file} was taken:", *(f"  {each}" for each in wrong[:20]), *more]))


def _object(text: Any) -> Mapping[str, Any] | None:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping) else None


def _number(given: Any) -> float:
    return float(given) if isinstance(given, int | float) and 0 <= given < 1e6 else 0.0
