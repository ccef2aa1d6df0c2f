"""How far the values of two definitions lie apart, at the same entity and time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from totalml.catalogue.rows import data_of, values_for, whole_values
from totalml.errors import TotalmlError
from totalml.features.shared.materialised import ENTITY, EVENT_TIME, VALUE
from totalml.features.shared.past import numbers

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from totalml.catalogue.named import Named
    from totalml.catalogue.uses import Use
    from totalml.store import Store


@dataclass(frozen=True)
class Moved:
    """Args:
    compared: rows that both have.
    moved: of these, where one is missing and the other is not, or they differ.
    mean_a, mean_b: of the values that are there.
    furthest: the largest difference of two values.
    """

    part: str
    compared: int
    moved: int
    mean_a: float
    mean_b: float
    furthest: float


def moved(a: Named, b: Named, used: list[Use], store: Store) -> tuple[list[Moved], str]:
    """Of each part that both have, and what was compared or why nothing was."""
    one, other, told = _both(a, b, used, store)
    if one is None or other is None:
        return [], told
    keys = [name for name in one.column_names if name.startswith(ENTITY) or name == EVENT_TIME]
    parts = [name for name in one.column_names if name.startswith(VALUE) and name in other.column_names]
    if not {*keys} <= {*other.column_names} or not parts:
        return [], "not compared: they have no entity or no part in common"
    joined = _last(one, keys, parts).join(_last(other, keys, parts), keys, join_type="inner", right_suffix=".b")
    return [_moved(part, joined) for part in parts], told


def _both(a: Named, b: Named, used: list[Use], store: Store) -> tuple[pa.Table | None, pa.Table | None, str]:
    if a.values["source"] == b.values["source"]:
        data_hash, told = next((found for each in (b, a) if (found := data_of(each, used, store))[0]), ("", ""))
        if data_hash:
            try:
                return values_for(a, data_hash, store), values_for(b, data_hash, store), f"both made of {told}"
            except TotalmlError as error:
                return None, None, f"not compared: made of {told} one fails: {error}"
    (one, of_a), (other, of_b) = (whole_values(each, used, store) for each in (a, b))
    lacking = [f"{each.text}: {why}" for each, found, why in ((a, one, of_a), (b, other, of_b)) if found is None]
    return one, other, f"not compared; {'; '.join(lacking)}" if lacking else f"made of {of_a} and of {of_b}"


def _last(values: pa.Table, keys: list[str], parts: list[str]) -> pa.Table:
    """Of each entity and time one row: where there are corrections, what was written last."""
    aggregated = values.group_by(keys, use_threads=False).aggregate([(part, "last") for part in parts])
    return aggregated.select([*keys, *(f"{part}_last" for part in parts)]).rename_columns([*keys, *parts])


def _moved(part: str, joined: pa.Table) -> Moved:
    one, other = numbers(joined, part), numbers(joined, f"{part}.b")
    apart = np.abs(one - other)
    differ = (np.isnan(one) != np.isnan(other)) | (apart > 0)
    return Moved(
        part=part.removeprefix(VALUE),
        compared=len(one),
        moved=int(differ.sum()),
        mean_a=_mean(one),
        mean_b=_mean(other),
        furthest=float(np.nanmax(apart, initial=0.0)),
    )


def _mean(values: NDArray[np.float64]) -> float:
    there = values[~np.isnan(values)]
    return float(there.mean()) if len(there) else float("nan")
