"""A whole run on a table of several series: each is held against its own season, whatever the others are like."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.stages.conftest import REPOSITORY
from totalml.compose import compose_recipe
from totalml.evaluation import Evaluation
from totalml.runner import run

WEEKS, SEASON, HORIZON = 60, 10, 8
SIZES = {"Cork": 10.0, "Dublin": 1000.0}
ASKED = [
    *("task=regression", "task.targets=[sold]", f"task.season={SEASON}", "task.series=region", "task.loss=squared"),
    *("model=linear", "training.epochs=2", "features.table.numeric=[size,week]", "evaluation=quick"),
    *("data.source.timestamp_column=day", "data.split.by=rolling", f"data.split.horizon={7 * HORIZON}d"),
    *("runtime.progress=none", "runtime.threads=1", "data.split.folds=2", "tracking=none"),
]


def sold() -> dict[str, np.ndarray]:
    generator = np.random.default_rng(0)
    season = np.arange(WEEKS) % SEASON
    shapes = {name: 1 + season / SEASON + generator.uniform(0, 0.1, WEEKS) for name in SIZES}
    return {name: np.round(size * shapes[name], 4) for name, size in SIZES.items()}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory) -> Callable[..., Evaluation]:
    folder: Path = tmp_path_factory.mktemp("panel")
    begin = date(2024, 1, 1)
    lines = [
        f"{begin + timedelta(weeks=week)},{name},{SIZES[name]},{week},{value}"
        for name, values in sold().items()
        for week, value in enumerate(values)
    ]
    (folder / "sales.csv").write_text("\n".join(["day,region,size,week,sold", *lines]))
    where = [
        f"data.source.table={folder / 'sales.csv'}",
        f"runtime.store={folder}/store",
        f"runtime.runs={folder}/runs",
    ]

    def evaluate(*overrides: str) -> Evaluation:
        return Evaluation.load(run(compose_recipe(REPOSITORY, ["+recipe=table", *ASKED, *where, *overrides])))

    return evaluate


@pytest.mark.parametrize("fold", [1, 2])
def test_figures_of_a_run_follow_from_the_table_and_its_predictions(evaluated, fold):
    evaluation = evaluated(f"data.split.fold={fold}")
    end = WEEKS - (2 - fold) * HORIZON
    test, train = np.arange(end - HORIZON, end), np.arange(end - 2 * HORIZON)
    rows = evaluation.predictions.sort_by([("series", "ascending"), ("timestamp", "ascending")])
    off = np.abs(rows["value"].to_numpy() - rows["truth"].to_numpy()).reshape(2, HORIZON)
    scaled, naive = [], []
    for one, values in zip(off, sold().values(), strict=True):
        scaled.append(one / np.abs(values[train][SEASON:] - values[train][:-SEASON]).mean())
        naive.append(np.abs(values[test] - values[test - SEASON]))
    assert evaluation.metrics["mase"].value == pytest.approx(np.mean(scaled), rel=1e-4)
    assert evaluation.metrics["skill"].value == pytest.approx(1 - np.mean(off) / np.mean(naive), rel=1e-4)
    for name, one in zip(SIZES, scaled, strict=True):
        assert evaluation.figures()[f"per_series.{name}.mase"].value == pytest.approx(one.mean(), rel=1e-4)
    assert len(evaluation.periods["sold"]) == HORIZON


def test_without_the_series_a_panel_has_no_season_and_says_how_it_would(evaluated):
    mase = evaluated("task.series=null").metrics["mase"]
    assert mase.value is None
    assert "task.series can name the column" in mase.note
