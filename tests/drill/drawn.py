"""Pools of numbers instead of pictures: as large as wanted, scored in no time, and of known truth."""

import numpy as np

from totalml.drill import Pools
from totalml.monitoring import Observations
from totalml.recipe import DrillRecipe, PopulationRecipe, ScenarioRecipe

SAMPLES = 4000
NAMES = ("base", "moved", "wrong")


def pools() -> Pools:
    """`moved` is seen to be another population, `wrong` is not: there the model errs more often alone."""
    random = np.random.default_rng(5)
    count = SAMPLES * len(NAMES)
    which = np.repeat(np.arange(len(NAMES)), SAMPLES)
    score = np.clip(random.normal(0.7 - 0.25 * (which == 1), 0.1), 0, 1)
    numbers = {"property:brightness": random.normal(which == 1, 1.0), "property:noise": random.normal(size=count)}
    wrong = random.random(count) < np.where(which == 2, 0.5, 0.05)
    times = random.integers(0, 365, count) * 86_400_000_000 + random.integers(0, 86_400_000_000, count)
    seen = Observations(count, times, {"answer:p": score}, numbers=numbers, units=np.arange(count) % 50)
    return Pools(seen, wrong, {name: np.flatnonzero(which == place) for place, name in enumerate(NAMES)})


def recipe(**changes: object) -> DrillRecipe:
    scenarios = {
        "sudden": ScenarioRecipe(truth="new covariate", population="moved"),
        "slow": ScenarioRecipe(truth="new covariate", population="moved", share=0.5, ramp_days=9, days=14),
        "habit": ScenarioRecipe(truth="concept", population="wrong"),
        "feast": ScenarioRecipe(truth="expected season", population="moved", expected="moved", days=7, volume=2.0),
    }
    small = {"reference": 300, "per_day": 25.0, "histories": 8, "calm_histories": 40, "scenarios": scenarios}
    return DrillRecipe(**{"populations": {name: PopulationRecipe() for name in NAMES}, **small, **changes})
