"""How good is the advice: marketing, what it leaves out, its baselines and LightGBM over markets whose truth is known.

Each market is drawn with a seed of its own and planned by the same code; with `--rule other` by another formula than
that of the recipe and its model. `pip install lightgbm` where it is missing. With `--folder` runs are kept, so that the
same command goes on where it was stopped.
"""

import argparse
import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from bench_marketing_rule import VALUE_EUR, OtherTruth, write_table
from numpy.typing import NDArray

import totalml
from totalml.data import load_snapshot, split_samples
from totalml.evaluation import Evaluation, Given
from totalml.features import build_features
from totalml.kinds import PlanTruth
from totalml.notebook import Run
from totalml.plan import Advice, Plan
from totalml.plan.advise import Asked
from totalml.plan.make import advised, known_of
from totalml.plan.planned import Planned, planned_rows
from totalml.plan.truth import hold_against
from totalml.progress import Progress
from totalml.recipe import PlanRecipe
from totalml.terminal import aligned
from totalml.training import TrainedModel

CLAIM = 0.05  # of the markets: the advice may be worse than doing nothing in so many
OURS, BOOSTED = "marketing", "LightGBM"
RECIPES: Mapping[str, tuple[str, ...]] = {
    OURS: ("marketing",),
    "season-8": ("marketing", "model.season=8"),
    "no-season": ("marketing", "model.season=0", "model.shock=0.0"),
    "network": ("marketing_mlp",),
    "ridge": ("marketing_linear",),
    BOOSTED: ("marketing_linear",),  # fitted to what the linear model was fitted to
}
ROUNDS = {"num_leaves": 31, "learning_rate": 0.05, "verbosity": -1, "deterministic": True, "num_threads": 1}
Rule = Callable[[int, Path], tuple[list[str], PlanTruth | None]]  # seed, folder of files -> overrides, truth


@dataclass(frozen=True)
class Found:
    """Of one model in one market; figures of the test split, and EUR that its plan truly gains."""

    r2: float
    mase: float
    coverage: float
    gain: float
    best: float
    inside: float  # whether the interval of the plan that looked best holds its true gain; NaN where there is none
    kind: str

    @property
    def share(self) -> float:
        return self.gain / self.best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20, help="markets")
    parser.add_argument("--rule", choices=RULES, default="own", help="by which markets are drawn")
    parser.add_argument("--only", nargs="+", choices=RECIPES, default=[*RECIPES], help="models")
    parser.add_argument("--folder", help="keeps the runs")
    options = parser.parse_args()
    names = [name for name in options.only if name != BOOSTED or find_spec("lightgbm")]
    with contextlib.ExitStack() as stack:
        folder = Path(options.folder or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, list[Found]] = {name: [] for name in names}
        for seed in Progress.create().track(range(options.seeds), "Markets"):
            overrides, truth = RULES[options.rule](seed, folder)
            for name in names:
                recipe, *others = RECIPES[name]
                run = made(recipe, [*overrides, *others], folder)
                found[name].append((of_trees if name == BOOSTED else of_run)(run, truth))
                print(seed, name, found[name][-1], file=sys.stderr)
    print(told(found))


def own(seed: int, folder: Path) -> tuple[list[str], PlanTruth | None]:
    """The rule of the recipe, which its model is like."""
    return [f"data.source.seed={seed}", f"plan.truth.seed={seed}"], None


def other(seed: int, folder: Path) -> tuple[list[str], PlanTruth | None]:
    table = folder / f"market-{seed}.csv"
    write_table(seed, table)
    source = f"data.source={{_target_:recipes.marketing.table.SpendTable,table:{table}}}"
    return [source, "plan.truth=null", f"plan.value={VALUE_EUR}"], OtherTruth(seed=seed)


RULES: Mapping[str, Rule] = {"own": own, "other": other}


def made(recipe: str, overrides: list[str], folder: Path) -> Run:
    """Found again where it is there."""
    apart = ["registry=null", "gates=[]", "tracking=none"]
    kept = [f"runtime.store={folder / 'store'}", f"runtime.runs={folder / 'runs'}"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return totalml.run(totalml.compose(recipe, *apart, *overrides, *kept))


def of_run(run: Run, truth: PlanTruth | None) -> Found:
    plan, given = Plan.load(run.folder), given_to(run)
    asked = Asked(plan.levers, plan.value, plan.budget, plan.confidence, {})
    r2, mase, coverage = (float(run.metrics[each].value) for each in ("r2", "mase", "coverage"))
    rows = planned_rows(plan_of(given), given.snapshot, given.splits)
    return of_plan((r2, mase, coverage), given, rows, truth, (asked, plan.advice, plan.tried))


def of_plan(
    forecast: tuple[float, float, float],
    given: Given,
    rows: NDArray[np.int64],
    truth: PlanTruth | None,
    planned: tuple[Asked, Advice, Advice | None],
) -> Found:
    asked, advice, tried = planned
    looked = tried or advice
    known = known_of(given, rows)
    found, looked_best = (
        hold_against(truth or truth_of(given), known, asked, each.factors) for each in (advice, looked)
    )
    low, high = looked.gain.low, looked.gain.high
    inside = np.nan if low is None or high is None else float(low <= looked_best.gain <= high)
    return Found(*forecast, found.gain, found.best_gain, inside, advice.kind)


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


def of_trees(run: Run, truth: PlanTruth | None) -> Found:
    given = given_to(run)
    plan = plan_of(given)
    trees = Trees(given, plan, planned_rows(plan, given.snapshot, given.splits))
    tested = Trees(given, plan, given.splits.test)
    tested.__dict__["booster"] = trees.booster
    said, true = tested.outcomes({})[:, 0], given.features.targets.values[given.splits.test, 0]
    linear = given.evaluation.metrics
    mae = float(np.abs(said - true).mean())
    r2 = 1 - float(((said - true) ** 2).sum() / ((true - true.mean()) ** 2).sum())
    scaled = mae * (linear["mase"].value or np.nan) / (linear["mae"].value or np.nan)
    return of_plan((r2, scaled, np.nan), given, trees.rows, truth, advised(trees))


def plan_of(given: Given) -> PlanRecipe:
    if given.recipe.plan is None:
        raise SystemExit(f"the recipe {given.recipe.name!r} has no plan")
    return given.recipe.plan


def truth_of(given: Given) -> PlanTruth:
    """Of the recipe."""
    if (truth := plan_of(given).truth) is None:
        raise SystemExit(f"the recipe {given.recipe.name!r} names no truth of its plan")
    return truth


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
    if OURS not in found:
        return "\n".join(aligned(rows))
    worst = sum(one.gain < 0 for one in found[OURS]) / len(found[OURS])
    verdict = "met" if worst <= CLAIM else "MISSED"
    return "\n".join(
        [*aligned(rows), f"{OURS} worse than nothing in {worst:.0%} of markets, asked {CLAIM:.0%}: {verdict}"]
    )


if __name__ == "__main__":
    main()
