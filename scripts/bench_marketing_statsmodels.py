"""statsmodels as the oracle of the marketing recipe's season and of its baseline, ridge regression.

The columns of a season are held against `statsmodels.tsa.deterministic.Fourier`. The season that a model has learnt is
held against that by which its market was drawn, beside a gamma regression on the same columns that is told what
advertising truly added, more than anybody can know, and one that sees nothing of it. The forecast of `marketing_linear`
is held against the closed form of ridge regression on its columns, with the penalty that the validation split likes
best. `pip install statsmodels` first.
"""

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import statsmodels.api as sm
import torch
from bench_marketing import given_to, made, plan_of, truth_of
from numpy.typing import NDArray
from statsmodels.tsa.deterministic import Fourier

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # recipes/ has code of its own

from recipes.marketing import market
from recipes.marketing.calendar import YEAR_DAYS
from recipes.marketing.mix_prior import DEMAND
from totalml.evaluation import Given
from totalml.model.saved import load_state
from totalml.terminal import aligned
from totalml.training.own_module import create
from totalml.values.shown import short_number

Floats = NDArray[np.float64]
PENALTIES = np.geomspace(1e-6, 10.0, 15)
DAYS = np.arange(367)  # of a year, of which the first is 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="markets")
    parser.add_argument("--folder", help="keeps the runs")
    options = parser.parse_args()
    seasons, ridges = [], []
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        for seed in range(options.seeds):
            drawn = [f"data.source.seed={seed}", f"plan.truth.seed={seed}"]
            seasons.append(season(given_to(made("marketing", drawn, folder))))
            ridges.append(ridge(given_to(made("marketing_linear", drawn, folder))))
    print("\n".join(aligned(table("season, error of the log of demand", seasons))), end="\n\n")
    print("\n".join(aligned(table("mean absolute error of the test split", ridges))))


def table(what: str, markets: Sequence[Mapping[str, float]]) -> list[tuple[str, ...]]:
    every = [(f"market {seed}", *(short_number(value) for value in row.values())) for seed, row in enumerate(markets)]
    medians = (short_number(np.median([row[name] for row in markets])) for name in markets[0])
    return [(what, *markets[0]), *every, ("median", *medians)]


def season(given: Given) -> dict[str, float]:
    """Roots of mean squares over the days of a year, of curves about their mean."""
    module = module_of(given)
    rows, place = given.splits.train, module.columns
    numeric, words = (getattr(given.features, name)[rows] for name in ("numeric", "categorical"))
    batch = {"numeric": torch.from_numpy(numeric), "categorical": torch.from_numpy(words)}
    days = torch.zeros(len(DAYS), place.day + 1) + torch.from_numpy(DAYS)[:, None]
    with torch.inference_mode():
        controls, sizes = (each.numpy().astype(np.float64) for each in (module._controls(batch), module._sizes(batch)))
        harmonics = module._harmonics({"numeric": days}).numpy().astype(np.float64)
        believed = module.prior()["demand"].numpy().mean(axis=0)[-harmonics.shape[1] :]
    waves = fourier(module.season)
    regions = np.eye(place.regions)[words[:, place.region]]
    columns = np.column_stack(
        [regions[:, regions.any(axis=0)], standard(controls, slice(None)), waves[numeric[:, place.day].astype(int)]]
    )

    def by_regression(target: Floats) -> Floats:
        family = sm.families.Gamma(sm.families.links.Log())
        return waves @ sm.GLM(target, columns, family=family).fit().params[-waves.shape[1] :]

    true, sold = market.season(DAYS), given.features.targets.values[rows, 0]
    return {
        "size of the season": about_zero(true),
        "marketing": about_zero(DEMAND * harmonics @ believed - true),
        "regression told of media": about_zero(by_regression((sold - added(given)[rows]) / sizes) - true),
        "regression without media": about_zero(by_regression(sold / sizes) - true),
        "columns beside Fourier's": float(np.abs(harmonics - waves).max()),
    }


def module_of(given: Given) -> Any:
    state, inputs = load_state(given.trained.weights)
    module = create(given.recipe, inputs)
    module.load_state_dict(state)
    return module


def added(given: Given) -> Floats:
    """(N,) what advertising truly added to each sample."""
    truth, samples = truth_of(given), given.snapshot.samples
    nothing = truth.outcome(samples, dict.fromkeys(plan_of(given).levers, 0.0))
    return np.asarray(truth.outcome(samples, {}) - nothing, np.float64)


def fourier(order: int) -> Floats:
    """(D, 2 H) cosines, then sines, of DAYS."""
    both = Fourier(YEAR_DAYS, order).in_sample(DAYS).to_numpy()
    return np.concatenate([both[:, 1::2], both[:, ::2]], axis=1)


def ridge(given: Given) -> dict[str, float]:
    features, splits = given.features, given.splits
    words = features.categorical
    coded = [np.eye(words[:, at].max() + 1)[words[:, at]] for at in range(words.shape[1])]
    columns = np.column_stack([np.ones(len(words)), standard(features.numeric, splits.train), *coded])
    truth = features.targets.values[:, 0].astype(np.float64)
    unit = truth[splits.train].std()

    def off(penalty: float) -> tuple[float, float]:
        """Of validation and test."""
        model = sm.OLS(truth[splits.train] / unit, columns[splits.train])
        errors = np.abs(unit * columns @ model.fit_regularized(alpha=penalty, L1_wt=0.0).params - truth)
        return float(errors[splits.validation].mean()), float(errors[splits.test].mean())

    found = {"marketing_linear": given.evaluation.metrics["mae"].value or np.nan}
    return found | {"statsmodels": min(off(penalty) for penalty in PENALTIES)[1]}


def standard(values: NDArray[Any], rows: Any) -> Floats:
    """Columns that change, by the mean and deviation of some rows."""
    middle, spread = values[rows].mean(axis=0, dtype=np.float64), values[rows].std(axis=0, dtype=np.float64)
    return np.asarray((values[:, spread > 0] - middle[spread > 0]) / spread[spread > 0], np.float64)


def about_zero(curve: Floats) -> float:
    return float(curve[1:].std())


if __name__ == "__main__":
    main()
