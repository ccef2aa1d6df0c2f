"""The linear model against the closed form of ridge regression."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.in_memory import feature_set
from totalml.features.targets import Targets
from totalml.model import Linear, build_network
from totalml.recipe import ModelRecipe
from totalml.task import Regression

RNG = np.random.default_rng(0)
NUMERIC = (RNG.normal(size=(80, 3)) @ [[1, 0.8, 0], [0, 0.5, 0], [0, 0, 30]] + [5, -2, 100]).astype(np.float32)
CATEGORICAL = RNG.integers(1, 3, (80, 1))
SOLD = NUMERIC @ [3.0, -40.0, 0.2] + 25 * (CATEGORICAL[:, 0] == 2) + RNG.normal(0, 10, 80) + 500
TARGETS = Targets(("sold",), SOLD[:, None].astype(np.float32))


def trained(decay: float):
    """A network after so many steps over all rows that nothing moves."""
    features = replace(feature_set(None, NUMERIC, CATEGORICAL, (("a", "b"),)), targets=TARGETS)
    task, rows = Regression(targets=["sold"], loss="squared"), np.arange(80)
    torch.manual_seed(0)
    network = build_network(ModelRecipe(table=Linear()), task, features, rows)
    objective = task.objective(TARGETS, rows, None)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.2, weight_decay=decay)
    batch = {"numeric": torch.from_numpy(NUMERIC), "categorical": torch.from_numpy(CATEGORICAL)}
    for _ in range(1500):
        optimizer.zero_grad()
        objective(network(batch), torch.from_numpy(TARGETS.values)).backward()
        optimizer.step()
    with torch.inference_mode():
        return network(batch)[:, 0].numpy()


@pytest.mark.parametrize("decay", [0.0, 0.02, 0.5])
def test_after_training_it_says_what_ridge_regression_says(decay):
    standard = (NUMERIC - NUMERIC.mean(axis=0)) / NUMERIC.std(axis=0)
    words = np.eye(3)[CATEGORICAL[:, 0]]
    columns = np.column_stack([standard, words, np.ones(80)])  # the intercept decays as well
    target = (SOLD - SOLD.mean()) / SOLD.std()
    penalty = 80 * decay / 2 * np.eye(columns.shape[1])
    weights = np.linalg.lstsq(columns.T @ columns + penalty, columns.T @ target, rcond=None)[0]
    expected = SOLD.mean() + SOLD.std() * (columns @ weights)
    assert trained(decay) == pytest.approx(expected, abs=0.02 * SOLD.std())
    if decay:
        least_squares = np.linalg.lstsq(columns, target, rcond=None)[0]
        assert np.linalg.norm(weights) < np.linalg.norm(least_squares)
