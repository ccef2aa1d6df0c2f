"""Rows of several series, shuffled, with gaps and values missing, for hypothesis; and what is plainly true of them."""

from datetime import UTC, datetime

import pyarrow as pa
from hypothesis import strategies as st

from totalml.features.shared.past import numbers

DAY_US = 86_400_000_000
START = datetime(2024, 1, 1, tzinfo=UTC)
Row = tuple[str, int, float | None]  # series, time in us since START, value

VALUES = st.one_of(st.none(), st.integers(-1000, 1000).map(float))


@st.composite
def series(draw: st.DrawFn, step_us: int = DAY_US, most: int = 40) -> list[Row]:
    """No two rows of a series at one time; times are multiples of the step."""
    keys = st.tuples(st.sampled_from("abc"), st.integers(0, 12).map(lambda day: day * step_us))
    chosen = draw(st.lists(keys, unique=True, min_size=1, max_size=most))
    return [(name, time, draw(VALUES)) for name, time in chosen]


def table(rows: list[Row]) -> pa.Table:
    base = int(START.timestamp()) * 10**6
    return pa.table(
        {
            "id": [f"{name}/{time}" for name, time, _ in rows],
            "timestamp": pa.array([base + time for _, time, _ in rows], pa.timestamp("us", "UTC")),
            "region": pa.array([name for name, _, _ in rows]),
            "spend": pa.array([value for *_, value in rows], pa.float64()),
        }
    )


def listed(made: pa.Table, part: str) -> list[float | None]:
    """Values of a part, None where missing."""
    return [None if value != value else value for value in numbers(made, part).tolist()]
