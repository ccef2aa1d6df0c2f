"""What is asked of each column: is it there, are its values known ones, are they there at all, do they still move?

Where samples come together, each unit counts as one row: the mean over its rows, rounded down, of which the variance is
at most that of one row, so that a dozen pictures of one uploader are no dozen findings.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.shares import chance_of_as_many, wilson
from totalml.monitoring.chances import as_long_runs, as_many_unseen, beyond
from totalml.monitoring.faults import SET, Fault
from totalml.monitoring.observations import NO_TIME, STRANGENESS
from totalml.monitoring.seen import Seen, together
from totalml.release.log_rows import ANSWER, PROPERTY
from totalml.values.shown import short_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]
    Mask = NDArray[np.bool_]

# Of properties of pictures and of strangeness, which have long tails: shares of the reference on either side that are
# called extreme. Of other numbers the range is all that the reference holds.
EXTREME, STRANGE = 0.005, 0.01
# A reference holds some bad pictures too, within whose range worse senders stay: so it is asked as well whether many
# more of the rows than before are beyond what is usual. Only of what the camera and the file decide: that many are
# dark or bright may be for what stands before the camera.
UNUSUAL, MANY = 0.05, 0.1
OF_CAMERA = {PROPERTY + "sharpness": "below", PROPERTY + "noise": "above", PROPERTY + "blockiness": "above"}
CAUTIOUS_Z = 3.0  # of the upper bound of the share of the commonest value, on which the chance of runs stands
LONGER = 2  # times the longest run of the reference, beyond which a value is stuck
SHOWN, FIRST = 3, 200  # values that are told, of so many first rows


def schema_faults(known: Seen, seen: Seen) -> Iterator[Fault]:
    """What is gone, new, or of another type; certain."""
    for name in known.kinds:
        if name not in seen.kinds:
            if not known.has(name) or not known.missing(name).all():
                yield Fault("gone", name, 0.0, certain=True)
        elif known.kinds[name] != seen.kinds[name]:
            then = known.kinds[name]
            detail = f"{seen.kinds[name]}, {then} in the reference; let it hold {then} again"
            yield Fault("type", name, 0.0, certain=True, detail=detail)
    for name in seen.kinds:
        # Properties and answers come from the release; an older reference lacks those that a later one brings.
        if name not in known.kinds and not name.startswith((PROPERTY, ANSWER)) and name != STRANGENESS:
            yield Fault("new", name, 0.0, certain=True, detail=seen.kinds[name])


def column_faults(
    known: Seen, seen: Seen, strange_above: float | None, levers: Collection[str] = ()
) -> Iterator[Fault]:
    """Of each column that both have, everything that was looked at, findings or not.

    Args:
        strange_above: the strangeness beyond which a sample is strange; None: that of the reference's outermost 1 %.
        levers: columns that people set, so that they may stay as they are.
    """
    weights = seen.weights
    for name, kind in known.kinds.items():
        if seen.kinds.get(name) != kind or kind == "lists":
            continue
        if known.has(name):
            yield _missing(name, known, seen)
        if name in known.numbers:
            now = seen.numbers[name]
            if name == STRANGENESS:
                yield _strange(now, known, weights, strange_above)
                continue
            if not name.startswith(ANSWER):
                for kind in ("below", "above"):
                    outside = _worse if OF_CAMERA.get(name) == kind else _outside
                    yield outside(name, kind, now, known, weights, EXTREME if name.startswith(PROPERTY) else 0.0)
            yield _stuck(SET if name in levers else "stuck", name, known, seen, weights)
        elif name in known.observations.categories:
            yield _unseen(name, known, seen)


def share_fault(kind: str, name: str, now: Mask, then: Mask, weights: Numbers, before: Numbers) -> Fault:
    """Whether more rows of the window are so than of the reference; exact (Fisher)."""
    rows, known = int(weights.sum() + 1e-9), int(before.sum() + 1e-9)
    hits, others = int(weights[now].sum() + 1e-9), int(before[then].sum() + 1e-9)
    counts = (np.array([each]) for each in (hits, rows, hits + others, rows + known))
    p = float(chance_of_as_many(*counts)[0]) if hits else 1.0
    return Fault(kind, name, p, share=_mean(now), expected=_mean(then), rows=np.flatnonzero(now))


def _missing(name: str, known: Seen, seen: Seen) -> Fault:
    kind = "no time" if name in known.moments else "missing"
    return share_fault(kind, name, seen.missing(name), known.missing(name), seen.weights, known.weights)


def _worse(name: str, kind: str, now: Numbers, known: Seen, weights: Numbers, extreme: float) -> Fault:
    """Some beyond `extreme`, or many beyond what is usual, whichever is surer; `p` is corrected for both."""
    some, many = (_outside(name, kind, now, known, weights, share) for share in (extreme, UNUSUAL))
    surer = many if many.p < some.p and many.share - many.expected >= MANY else some
    return replace(surer, p=min(1.0, 2 * surer.p))


def _outside(name: str, kind: str, now: Numbers, known: Seen, weights: Numbers, extreme: float) -> Fault:
    """Beyond the value that a share `extreme` of the reference, or its outermost row, is not within."""
    values, asked = known.ordered(name), ~np.isnan(now)
    if not len(values) or not asked.any():
        return Fault(kind, name, 1.0)
    values = values if kind == "below" else values[::-1]
    out = max(1, int(extreme * (len(values) + 1)))
    bound = values[out - 1]
    outside = now < bound if kind == "below" else now > bound
    units = max(1, int(known.weights.sum() * len(values) / known.count + 1e-9))
    # Of as many units; the outermost row is that of one unit.
    kept_out = min(units, max(1, round(out * units / len(values))))
    p = beyond(int(weights[outside].sum() + 1e-9), int(weights[asked].sum() + 1e-9), kept_out, units)
    rows = np.flatnonzero(outside)
    detail = f"such as {short_number(now[rows[0]])}, where {short_number(bound)} is the bound" if len(rows) else ""
    return Fault(kind, name, p, share=_mean(outside), expected=(out - 1) / len(values), rows=rows, detail=detail)


def _strange(now: Numbers, known: Seen, weights: Numbers, above: float | None) -> Fault:
    if above is not None:
        return share_fault(
            "strange", STRANGENESS, now > above, known.numbers[STRANGENESS] > above, weights, known.weights
        )
    return replace(_outside(STRANGENESS, "above", now, known, weights, STRANGE), kind="strange")


def _unseen(name: str, known: Seen, seen: Seen) -> Fault:
    then, now = together(known.observations.categories[name], seen.observations.categories[name])
    width = 1 + int(max(then.max(initial=0), now.max(initial=0)))
    before, sizes = _units_with(then, known, width), _units_with(now, seen, width)
    both, new = before + sizes, (before == 0) & (sizes > 0)
    rows, others = int(sizes.sum()), int(before.sum())
    p = as_many_unseen(int(sizes[new].sum()), both[both > 0], rows, others) if rows and others else 1.0
    found = np.flatnonzero((now >= 0) & new[now])
    words = seen.observations.categories[name]
    shown = dict.fromkeys(words.names[code] for code in words.codes[found[:FIRST]])
    detail = f"such as {', '.join(map(repr, list(shown)[:SHOWN]))}" if len(found) else ""
    return Fault("unseen", name, p, share=len(found) / len(now), expected=0.0, rows=found, detail=detail)


def _units_with(codes: NDArray[np.int64], rows: Seen, width: int) -> NDArray[np.int64]:
    """(width,) units that have each value; rows, where each stands by itself."""
    units = rows.observations.units
    if units is not None:
        _, number = np.unique(units, return_inverse=True)
        codes = np.unique(number[codes >= 0] * width + codes[codes >= 0]) % width
    return np.bincount(codes[codes >= 0], minlength=width)


def _stuck(kind: str, name: str, known: Seen, seen: Seen, weights: Numbers) -> Fault:
    """The longest run of one value, against the longest of the reference, and how unlikely it is by chance alone."""
    there, (start, length) = known.ordered(name), _longest_run(seen.numbers[name][seen.order])
    if not len(there) or length < 2:
        return Fault(kind, name, 1.0)
    commonest = np.array([_longest_run(there)[1]])
    _, largest = wilson(commonest, np.array([len(there)]), CAUTIOUS_Z)
    longest = _longest_run(known.numbers[name][known.order])[1]
    p = as_long_runs(length - 1, seen.count, float(largest[0])) if length > LONGER * longest else 1.0
    rows = seen.order[start : start + length]
    detail = (
        f"{length} rows in a row have {short_number(seen.numbers[name][rows[0]])}, at most {longest} in the reference"
    )
    if seen.arrival and (since := int(seen.moments[seen.arrival][rows[0]])) != NO_TIME:
        detail += f", since {np.datetime64(since, 'us').astype('datetime64[m]')} UTC"
    return Fault(kind, name, _of_units(p, weights), rows=np.sort(rows), detail=detail)


def _longest_run(values: Numbers) -> tuple[int, int]:
    """Where it starts, and its length; NaN is equal to nothing."""
    if not len(values):
        return 0, 0
    edges = np.flatnonzero(np.append(np.append(True, values[1:] != values[:-1]), True))
    lengths = np.diff(edges)
    place = int(lengths.argmax())
    return int(edges[place]), int(lengths[place])


def _of_units(p: float, weights: Numbers) -> float:
    """As if only so many rows had been there as there are units; the bound falls by a factor with each row."""
    return float(p ** (weights.sum() / len(weights))) if len(weights) else 1.0


def _mean(mask: Mask) -> float:
    return float(mask.mean()) if len(mask) else 0.0
