"""How good is the advice: marketing, what it leaves out, its baselines and LightGBM over markets whose truth is known.

Each market is drawn with a seed of its own and planned by the same code. `pip install lightgbm` where it is missing.
With `--folder` runs are kept, so that the same command goes on where it was stopped.
"""

import argparse
import contextlib
import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import totalml
from totalml.data import load_snapshot, split_samples
from totalml.evaluation import Evaluation, Given
from totalml.features import build_features
from totalml.notebook import Run
from totalml.plan import Advice, Plan
from totalml.plan.make import advised, known_of
from totalml.plan.planned import Planned, planned_rows
from totalml.plan.truth import Truth, hold_against
from totalml.progress import Progress
from totalml.terminal import aligned
from totalml.training import TrainedModel

CLAIM = 0.05  # of the markets: the advice may be worse than doing nothing in so many
RECIPES: Mapping[str, tuple[str, ...]] = {
    "marketing": ("marketing",),
    "... without season and shocks": ("marketing", "model.season=0", "model.shock=0.0"),
    "Mlp": ("marketing_mlp",),
    "ridge": ("marketing_linear",),
}
BOOSTED = "LightGBM"
ROUNDS = {"num_leaves": 31, "learning_rate": 0.05, "verbosity": -1, "deterministic": True, "num_threads": 1}


@dataclass(frozen=True)
class Found:
    """Of one model in one market; figures of the test split, and EUR that its plan truly gains."""

    r2: float
    mase: float
    coverage: float
    gain: float
    best: float
    inside: float  # whether the interval of the gain holds the true one; NaN where there is none
    kind: str

    @property
    def share(self) -> float:
        return self.gain / self.best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="markets")
    parser.add_argument("--folder", help="keeps the runs")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        found: dict[str, list[Found]] = {}
        for seed in Progress.create().track(range(options.seeds), "Markets"):
            for name, one in in_market(seed, folder):
                found.setdefault(name, []).append(one)
    print(told(found))


def in_market(seed: int, folder: Path) -> Iterator[tuple[str, Found]]:
    boosted = []
    for name, (recipe, *overrides) in RECIPES.items():
        run = made(recipe, seed, folder, overrides)
        plan = Plan.load(run.folder)
        if plan.truth is None:
            raise SystemExit(f"{recipe} names no truth of its plan")
        figures = run.metrics
        r2, mase, coverage = (float(figures[each].value) for each in ("r2", "mase", "coverage"))
        yield name, of_plan(r2, mase, coverage, plan.truth, plan.advice)
        if recipe == "marketing_linear" and find_spec("lightgbm"):
            boosted.append(run)
    for run in boosted:
        yield BOOSTED, of_trees(run)


def made(recipe: str, seed: int, folder: Path, overrides: list[str]) -> Run:
    """Found again where it is there."""
    of_market = [f"data.source.seed={seed}", f"plan.truth.seed={seed}", "registry=null", "tracking=none"]
    kept = [f"runtime.store={folder / 'store'}", f"runtime.runs={folder / 'runs'}"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return totalml.run(totalml.compose(recipe, *of_market, *overrides, *kept))


def of_plan(r2: float, mase: float, coverage: float, truth: Truth, advice: Advice) -> Found:
    low, high = advice.gain.low, advice.gain.high
    known = advice.kind == "change" and low is not None and high is not None
    inside = float(low <= truth.gain <= high) if known and low is not None and high is not None else np.nan
    return Found(r2, mase, coverage, truth.gain, truth.best_gain, inside, advice.kind)


class Trees(Planned):
    """What boosted trees say of the same samples, by the same columns."""

    @cached_property
    def booster(self) -> Any:
        import lightgbm

        features, splits = self.given.features, self.given.splits
        table, truth = self._columns(features.numeric), features.targets.values[:, 0]
        kinds = [*range(features.numeric.shape[1], table.shape[1])]
        data = lightgbm.Dataset(table[splits.train], truth[splits.train], categorical_feature=kinds)
        seen = data.create_valid(table[splits.validation], truth[splits.validation])
        stop = lightgbm.early_stopping(100, verbose=False)
        return lightgbm.train(ROUNDS, data, 2000, valid_sets=[seen], callbacks=[stop])

    def outcomes(self, factors: Mapping[str, float]) -> NDArray[np.float64]:
        numeric = self.given.features.numeric.copy()
        numeric[self.rows] = self._scaled(factors)
        return self.booster.predict(self._columns(numeric)[self.rows])[:, None].astype(np.float64)

    def _columns(self, numeric: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.concatenate([numeric, self.given.features.categorical], axis=1).astype(np.float64)


def of_trees(run: Run) -> Found:
    """Fitted to what the linear model was fitted to."""
    given = given_to(run)
    if given.recipe.plan is None or given.recipe.plan.truth is None:
        raise SystemExit("the recipe names no truth of its plan")
    trees = Trees(given, given.recipe.plan, planned_rows(given.recipe.plan, given.snapshot, given.splits))
    asked, advice, _ = advised(trees)
    truth = hold_against(given.recipe.plan.truth, known_of(given, trees.rows), asked, advice.factors)
    tested = Trees(given, given.recipe.plan, given.splits.test)
    tested.__dict__["booster"] = trees.booster
    said, true = tested.outcomes({})[:, 0], given.features.targets.values[given.splits.test, 0]
    linear = given.evaluation.metrics
    mae = float(np.abs(said - true).mean())
    r2 = 1 - float(((said - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())
    scaled = mae * (linear["mase"].value or np.nan) / (linear["mae"].value or np.nan)
    return of_plan(r2, scaled, np.nan, truth, advice)


def given_to(run: Run) -> Given:
    recipe, store = run.recipe, run.place.open_store()
    snapshot = load_snapshot(run.attempt.facts["data_hash"], store)
    features = build_features(recipe.features, recipe.data, recipe.task, snapshot, store)
    trained, evaluation = TrainedModel.load(run.folder), Evaluation.load(run.folder)
    return Given(recipe, snapshot, store, features, split_samples(recipe.data.split, snapshot), trained, evaluation)


def told(found: Mapping[str, list[Found]]) -> str:
    """A row for each model: medians, and how often it would have been better to do nothing."""
    head = ("model", "R2", "MASE", "coverage", "of the best gain", "worst", "worse than nothing", "changed", "inside")
    rows = [head]
    for name, every in found.items():
        worse = sum(one.gain < 0 for one in every)
        shares = [one.share for one in every]
        inside = [one.inside for one in every if not np.isnan(one.inside)]
        rows.append(
            (
                name,
                *(f"{np.median([getattr(one, figure) for one in every]):.3f}" for figure in ("r2", "mase", "coverage")),
                f"{np.median(shares):.0%}",
                f"{min(shares):.0%}",
                f"{worse} of {len(every)}",
                f"{sum(one.kind != 'nothing' for one in every)} of {len(every)}",
                f"{sum(inside):.0f} of {len(inside)}" if inside else "no interval",
            )
        )
    worst = sum(one.gain < 0 for one in found["marketing"]) / len(found["marketing"])
    verdict = "met" if worst <= CLAIM else "MISSED"
    return "\n".join(
        [*aligned(rows), f"marketing worse than nothing in {worst:.0%} of markets, asked {CLAIM:.0%}: {verdict}"]
    )


if __name__ == "__main__":
    main()
