"""What stands in the way of a question about a time, told of all columns at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.errors import FeatureError
from totalml.features.as_of.entities import entity_kind
from totalml.features.as_of.timelines import is_time
from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa


def mistakes(
    table: str, schema: pa.Schema, by: Sequence[str], times: Sequence[str], others: Sequence[str]
) -> list[str]:
    """Columns that are missing, stand twice, or are of a type that names no entity or no time.

    Args:
        table: what it is called, such as `the left table`.
        others: columns of any type.
    """
    names = list(dict.fromkeys([*by, *times, *others]))
    wrong = [
        f"{table} has no column {name!r}{did_you_mean(name, schema.names)}"
        for name in names
        if name not in schema.names
    ]
    wrong += [
        f"{table} has {count} columns {name!r}; rename or drop the others"
        for name in names
        if (count := schema.names.count(name)) > 1
    ]
    kinds = {name: schema.field(name).type for name in names if schema.names.count(name) == 1}
    wrong += [
        f"entity column {name!r} of {table} is {kinds[name]}; make it text or whole numbers"
        for name in by
        if name in kinds and entity_kind(kinds[name]) is None
    ]
    return wrong + [
        f"{name!r} of {table} is {kinds[name]}; make it timestamps, dates, or microseconds since 1970"
        for name in dict.fromkeys(times)
        if name in kinds and not is_time(kinds[name])
    ]


def unlike(by: Sequence[str], asked: pa.Schema, known: pa.Schema) -> list[str]:
    """Entity columns that are text in what is asked and numbers in what is known, or the other way round."""
    both = [name for name in by if asked.names.count(name) == known.names.count(name) == 1]
    kinds = {name: (asked.field(name).type, known.field(name).type) for name in both}
    return [
        f"entity column {name!r} is {one} where it is asked for and {other} where it is known; make both text"
        for name, (one, other) in kinds.items()
        if {entity_kind(one), entity_kind(other)} == {"text", "numbers"}
    ]


def too_short(ttl_us: int | None) -> list[str]:
    return [] if ttl_us is None or ttl_us >= 0 else [f"ttl_us is {ttl_us}; it must be 0 or more, or None"]


def stop_for(wrong: Sequence[str], what: str) -> None:
    """Stop with a line for each mistake, below what they stand in the way of.

    Raises: FeatureError: there is one.
    """
    if wrong:
        raise FeatureError("\n".join([f"{what}:", *(f"  {one}" for one in wrong)]))
