"""Cut a snapshot into train, validation and test; a group never stands in two of them.

By hash of the group's name, so that a sample keeps its split when others join.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from totalml.data.paths import meant
from totalml.data.splits import NAMES, Splits
from totalml.duration import us_of
from totalml.errors import SnapshotError
from totalml.values.shown import counted, some_of

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Rows
    from totalml.recipe import SplitRecipe

AT_ONCE = 2**16  # names of groups that are objects of Python at a time


def split_samples(split: SplitRecipe, snapshot: Snapshot) -> Splits:
    """Share out the samples.

    Raises: SnapshotError: a split would be empty, a label would be missing from train, or the column or the
        timestamps that the recipe splits by are not there.
    """
    import numpy as np

    cut = {"hash": _by_hash, "column": _by_column, "time": _by_time, "rolling": _by_rolling_origin}[split.by]
    place = cut(split, snapshot)
    splits = Splits(*(np.flatnonzero(place == number).astype(np.int64) for number in range(len(NAMES))))
    _check(split, splits, snapshot)
    return splits


def _by_hash(split: SplitRecipe, snapshot: Snapshot) -> Rows:
    """Place every group by a number in [0, 1) that depends on its name and the salt alone."""
    import numpy as np

    groups, member = _groups(snapshot)
    place = np.searchsorted(_borders(split), _uniform(groups, split.salt)[member], side="right")
    return place.astype(np.int64)


def _uniform(names: pa.Array, salt: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    import numpy as np
    from blake3 import blake3

    keyed = blake3(derive_key_context="totalml split v1")
    keyed.update(len(salt.encode()).to_bytes(8, "little") + salt.encode())
    raw = bytearray()
    for start in range(0, len(names), AT_ONCE):
        for name in names.slice(start, AT_ONCE).to_pylist():
            hasher = keyed.copy()
            hasher.update(name.encode())
            raw += hasher.digest(8)
    return (np.frombuffer(raw, "<u8") >> np.uint64(11)) / 2.0**53


def _by_column(split: SplitRecipe, snapshot: Snapshot) -> Rows:
    """Take the split that the value of each sample's metadata means."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    column = _split_column(split, snapshot)
    means: dict[str, list[Any]] = {name: [name] for name in NAMES}
    if split.values:
        means = {name: list(values) for name, values in split.values.items()}
    named = [value for values in means.values() for value in values]
    try:
        place = pc.index_in(column, pa.array(named, column.type))
    except (pa.ArrowException, TypeError) as error:
        raise SnapshotError(
            f"data.split.values are not of the type of the column {split.column!r}, which holds {column.type}: {error}"
        ) from error
    if place.null_count:
        other = pc.unique(column.filter(place.is_null())).to_pylist()
        raise SnapshotError(
            f"data.split.column {split.column!r} holds {other[:5]} in {counted(place.null_count, 'sample')}; "
            f"expected one of {named}. Leave them out with data.where, or name them in data.split.values"
        )
    split_of_value = [NAMES.index(name) for name, values in means.items() for _ in values]
    numbers: Rows = np.array(split_of_value, np.int64)[place.to_numpy().astype(np.int64)]
    _refuse_torn_groups(numbers, snapshot)
    return numbers if means.get("validation") else _with_validation(numbers, split, snapshot)


def _with_validation(place: Rows, split: SplitRecipe, snapshot: Snapshot) -> Rows:
    """Cut validation from train by hash where no value of the column means it, in the ratio of their shares."""
    import numpy as np

    groups, member = _groups(snapshot)
    share = split.validation / (split.train + split.validation) if split.train + split.validation else 0.0
    chosen = (_uniform(groups, split.salt) >= 1 - share)[member]
    return np.where((place == NAMES.index("train")) & chosen, NAMES.index("validation"), place)


def _split_column(split: SplitRecipe, snapshot: Snapshot) -> pa.ChunkedArray:
    import pyarrow as pa

    name, names = split.column or "", snapshot.metadata.column_names
    if name not in names:
        raise SnapshotError(f"no metadata column {name!r} for data.split.column{meant(name, names)}; there are {names}")
    kind = snapshot.metadata[name].type
    if split.values is None and not pa.types.is_string(kind):
        raise SnapshotError(
            f"data.split.column {name!r} holds {kind}; expected the words {list(NAMES)}, or say what its values mean: "
            "data.split.values={train: [...], test: [...]}"
        )
    return snapshot.metadata[name]


def _refuse_torn_groups(place: Rows, snapshot: Snapshot) -> None:
    import numpy as np

    groups, member = _groups(snapshot)
    first = np.empty(len(groups), np.int64)
    first[member[::-1]] = place[::-1]
    torn = sorted(groups.take(np.unique(member[first[member] != place])).to_pylist())
    if torn:
        raise SnapshotError(
            f"{len(torn)} groups stand in several splits, e.g. {torn[:3]}; "
            "a model would be tested on what it has seen. Give all samples of a group the same split."
        )


def _by_time(split: SplitRecipe, snapshot: Snapshot) -> Rows:
    """Cut the samples in order of time; groups of the same moment stay together."""
    import numpy as np

    latest, member = _latest(split, snapshot)
    _, moment, counts = np.unique(latest[member], return_inverse=True, return_counts=True)
    share_before = (np.cumsum(counts) - counts) / len(member)
    place = np.searchsorted(_borders(split), share_before[moment], side="right")
    return place.astype(np.int64)


def _by_rolling_origin(split: SplitRecipe, snapshot: Snapshot) -> Rows:
    """Test on one horizon, validate on the one before it, train on what lies before that; -1: in none of them.

    The last fold's test split ends with the latest sample, each earlier one a horizon before it. What lies in a gap, or
    after the test split, is not used at all, so that nothing is fitted on the future.
    Source: Tashman 2000.
    """
    import numpy as np

    latest, member = _latest(split, snapshot)
    times = latest[member]
    horizon, gap = (us_of(text or "0s") for text in (split.horizon, split.gap))
    end = int(times.max()) + 1 - (split.folds - split.fold) * horizon
    test, validation = end - horizon, end - 2 * horizon - gap
    begin = validation - gap - us_of(split.window) if split.window else int(times.min())
    place = np.full(len(times), -1, np.int64)
    for number, (first, last) in enumerate(
        ((begin, validation - gap), (validation, validation + horizon), (test, end))
    ):
        place[(times >= first) & (times < last)] = number
    return place


def _latest(split: SplitRecipe, snapshot: Snapshot) -> tuple[Rows, Rows]:
    """(G,) when each group was taken, in microseconds, and (N,) the group of each sample.

    A group counts as taken at its latest sample, so that nothing in train is later than the cut.
    """
    import numpy as np

    times = snapshot.samples["timestamp"]
    if times.null_count:
        without = some_of(times.null_count, len(times), "samples", "have no timestamp")
        raise SnapshotError(
            f"data.split.by is {split.by!r}, but {without}; name the source's timestamp_column, or split by hash"
        )
    groups, member = _groups(snapshot)
    latest = np.full(len(groups), np.iinfo(np.int64).min)
    np.maximum.at(latest, member, times.cast("int64").to_numpy())
    return latest, member


def _borders(split: SplitRecipe) -> list[float]:
    """Where train and validation end in [0, 1]; at one place if validation has no share, rounding or not."""
    end = 1 - split.test
    return [end if split.validation == 0 else split.train, end]


def _groups(snapshot: Snapshot) -> tuple[pa.Array, Rows]:
    """The group names, and for each sample the number of its group."""
    encoded = snapshot.samples["group"].combine_chunks().dictionary_encode()
    return encoded.dictionary, encoded.indices.to_numpy().astype("int64")


def _check(split: SplitRecipe, splits: Splits, snapshot: Snapshot) -> None:
    for name in NAMES:
        if getattr(split, name) > 0 and not len(getattr(splits, name)):
            sizes = {other: len(getattr(splits, other)) for other in NAMES}
            raise SnapshotError(f"the split leaves {name} empty ({sizes}). {_mend(split, name)}")
    for label, counts in splits.counts(snapshot).items():
        if not counts["train"]:
            raise SnapshotError(f"label {label!r} has no sample in train ({counts}). {_mend(split, 'train')}")


def _mend(split: SplitRecipe, name: str) -> str:
    if split.by == "rolling":
        return "Shorten data.split.horizon or gap, widen the window, or take fewer folds."
    if split.by == "column" and split.values:
        return f"Name further values of {split.column!r} for it in data.split.values."
    if split.by == "column":
        return f"Write {name!r} for some samples in the column {split.column!r}."
    other = "set another data.split.salt" if split.by == "hash" else "split by hash"
    return f"Add samples or groups, change the fractions, or {other}."
