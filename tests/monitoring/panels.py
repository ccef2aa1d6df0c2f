"""A small panel of which all is known: series that spend by season, at prices that rise, drawn week by week."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa

from totalml.monitoring.panel import Panel
from totalml.release.period_errors import Answered
from totalml.release.periods import periods_table

SERIES, WEEKS, SEASON = 6, 260, 52
START_US = 1_577_664_000_000_000  # Monday, 30 December 2019
WEEK_US = 7 * 86_400_000_000
COLUMNS = ("spend", "price", "warmth", "week_of_year", "spend.lag1")


def columns_of(weeks: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Each (T, SERIES). The same of a week whichever weeks are asked for."""
    each = [np.random.default_rng([seed, week]) for week in weeks]
    noise = np.array([random.standard_normal() + 0.2 * random.standard_normal(SERIES) for random in each])
    warmth = np.array([random.standard_normal() + np.zeros(SERIES) for random in each])
    turn = 2 * np.pi * weeks[:, None] / 52.18
    sizes = np.arange(1, SERIES + 1)
    spend = 100 * sizes * np.exp(0.8 * np.cos(turn) + 0.3 * noise)
    return {
        "spend": spend,
        "price": (5 + 0.003 * weeks[:, None]) * (1 + 0.01 * sizes),
        "warmth": 3 * warmth + np.arange(SERIES),
        "week_of_year": np.broadcast_to(weeks[:, None] % 52.0, spend.shape),
        "spend.lag1": spend,
    }


def rows_of(weeks: np.ndarray, seed: int = 0, **factors: float) -> pa.Table:
    """As a log has them. Args: factors: column -> so many times what it is."""
    found = {name: values * factors.get(name, 1.0) for name, values in columns_of(weeks, seed).items()}
    times = START_US + np.repeat(weeks, SERIES) * WEEK_US
    series = [f"s{place}" for place in range(SERIES)] * len(weeks)
    columns = {f"metadata:{name}": values.ravel() for name, values in found.items()}
    time = pa.array(times, pa.timestamp("us", "UTC"))
    return pa.table({"time": time, "metadata:region": series, **columns})


def panel(weeks: int = WEEKS, season: int | None = SEASON) -> Panel:
    """As a release of these weeks has it."""
    found = Panel.of(periods(weeks, season))
    assert found is not None
    return found


def periods(
    weeks: int = WEEKS, season: int | None = SEASON, seed: int = 0, answered: Answered | None = None
) -> pa.Table:
    rows = rows_of(np.arange(weeks), seed)
    snapshot = SimpleNamespace(
        samples=pa.table({"timestamp": rows["time"]}), metadata=pa.table({"region": rows["metadata:region"]})
    )
    values = np.stack([rows[f"metadata:{name}"].to_numpy() for name in COLUMNS], axis=1).astype(np.float32)
    lags = SimpleNamespace(definition={"_target_": "totalml.features.Lags"}, columns=("spend", "spend.lag1"))
    features = SimpleNamespace(numeric=values, numeric_names=COLUMNS)
    signature = SimpleNamespace(numeric=COLUMNS, made=(), shared=(lags,))
    return periods_table(snapshot, features, signature, "region", season, answered)
