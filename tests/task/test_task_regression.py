"""What may be a target, what is minimised, and in which unit it is answered."""

import numpy as np
import pyarrow as pa
import pytest
import torch
from pydantic import ValidationError

from totalml.data import Snapshot
from totalml.errors import EvaluationError, FeatureError, TrainingError
from totalml.features.targets import Targets
from totalml.kinds import Loss
from totalml.recipe import EvaluationRecipe
from totalml.task import Regression
from totalml.training.value_loss import ValueLoss

TRUTH = np.array([[1.0, 1000.0], [2.0, 3000.0], [6.0, 2000.0]], np.float32)


def snapshot(**columns) -> Snapshot:
    """Of samples a, b, c ..."""
    table = pa.table(columns)
    ids = pa.table({"id": [chr(97 + row) for row in range(len(table))]})
    return Snapshot(data_hash="blake3:0", samples=ids, metadata=table, skipped=pa.table({"id": [], "reason": []}))


def read(*targets: str, **columns) -> Targets:
    return Regression(targets=targets).read_targets(snapshot(**columns), None)


def test_targets_are_the_columns_in_the_order_of_the_recipe():
    targets = read("price", "size_m2", size_m2=[1, 2, 3], price=[1.5, 2.5, -1.0])
    assert targets.names == ("price", "size_m2")
    assert targets.values.dtype == np.float32
    assert targets.values.tolist() == [[1.5, 1], [2.5, 2], [-1.0, 3]]


def test_all_that_is_wrong_with_targets_is_told_at_once():
    with pytest.raises(FeatureError) as told:
        read(
            *("size_m", "name", "sold", "price", "far"),
            size_mm=[1.0, 2.0, 3.0],
            name=["x", "y", "z"],
            sold=[True, False, True],
            price=pa.array([1.0, None, float("nan")]),
            far=[1.0, float("inf"), float("-inf")],
        )
    lines = str(told.value).splitlines()
    assert len(lines) == 5
    assert "'size_m' is no metadata column, did you mean 'size_mm'" in lines[0]
    assert "'name' is of type string" in lines[1]
    assert "'sold' is of type bool" in lines[2]
    assert "'price' is missing in 2 samples: 'b', 'c'" in lines[3]
    assert "'far' is infinite in 2 samples: 'b', 'c'" in lines[4]


def test_what_cannot_name_a_series_is_told_beside_the_targets():
    def told(**columns) -> str:
        with pytest.raises(FeatureError) as wrong:
            Regression(targets=["sold"], series="region").read_targets(snapshot(**columns), None)
        return str(wrong.value)

    lines = told(regions=["x", "y", "z"], sold=["1", "2", "3"]).splitlines()
    assert lines[0] == "task.series: 'region' is no metadata column, did you mean 'regions'?"
    assert "'sold' is of type string" in lines[1]
    sold = [1.0, 2.0, 3.0]
    assert "task.series: 'region' is missing in 1 sample: 'b'" in told(region=["x", None, "z"], sold=sold)
    assert "task.series: 'region' is of type double" in told(region=[1.5, 2.0, 3.0], sold=sold)
    Regression(targets=["sold"], series="region").read_targets(snapshot(region=[1, 2, 2], sold=sold), None)


def test_a_target_that_float32_cannot_tell_apart_is_refused():
    with pytest.raises(FeatureError, match=r"'taken_s' is not told apart in float32.*Subtract a constant"):
        read("taken_s", taken_s=[1.7e9, 1.7e9 + 20, 1.7e9 + 60])
    read("taken_s", taken_s=[0.0, 20.0, 60.0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"targets": []}, "at least 1"),
        ({"targets": ["a", "a"]}, "each target once"),
        ({"targets": ["head_mm"], "units": {"head": "mm"}}, "'head' is none of the targets, did you mean 'head_mm'"),
        ({"targets": ["a"], "coverage": 0.4}, "coverage"),
        ({"targets": ["a"], "coverage": 0.999}, "coverage"),
        ({"targets": ["a"], "loss": "cubed"}, "loss"),
        ({"targets": ["a"], "season": 0}, "season"),
    ],
)
def test_a_task_that_makes_no_sense_is_refused(fields, message):
    with pytest.raises(ValidationError, match=message):
        Regression(**fields)


def test_a_target_that_never_changes_is_refused_by_name():
    targets = Targets(("a", "b"), np.array([[1, 2], [1, 3], [9, 9]], np.float32))
    Regression(targets=["a", "b"]).require_learnable(targets, np.arange(3))
    with pytest.raises(TrainingError, match="the same 'a';"):
        Regression(targets=["a", "b"]).require_learnable(targets, np.arange(2))


def test_settings_of_classes_are_refused():
    for key in ("positive", "gold_column"):
        with pytest.raises(EvaluationError, match=f"evaluation.{key} is 'x'"):
            Regression(targets=["a"]).check(EvaluationRecipe(**{key: "x"}), ("a",))


def test_the_head_starts_at_the_mean_and_answers_in_units():
    task = Regression(targets=["mm", "grams"])
    head = task.head(4, task.targets)
    task.fit_head(head, TRUTH)
    with torch.inference_mode():
        assert head(torch.zeros(5000, 4)).shape == (5000, 2)
        head.linear.bias.zero_()
        assert head(torch.zeros(1, 4)).tolist() == [pytest.approx([3.0, 2000.0])]
        head.linear.bias.fill_(1.0)
        moved = head(torch.zeros(1, 4))[0] - torch.tensor([3.0, 2000.0])
    assert moved.tolist() == pytest.approx(TRUTH.std(axis=0).tolist())
    assert {"mean", "deviation"} <= head.state_dict().keys()


@pytest.mark.parametrize("loss", ["huber", "squared", "quantile"])
def test_targets_of_other_units_weigh_alike(loss):
    """Millimetres written in metres: the loss stays what it was."""
    outputs = torch.randn(3, 6 if loss == "quantile" else 2, generator=torch.Generator().manual_seed(1))
    scale = np.array([1.0, 0.001], np.float32)
    each = outputs.shape[1] // 2
    losses = [
        ValueLoss(TRUTH * by, loss, 1.0, 0.9)(
            outputs * torch.from_numpy(by).repeat_interleave(each), torch.from_numpy(TRUTH * by)
        )
        for by in (np.ones(2, np.float32), scale)
    ]
    assert losses[0].item() == pytest.approx(losses[1].item(), rel=1e-5)


def test_losses_are_those_of_their_formulas():
    said, deviation = TRUTH + np.array([[1.0, -500.0]], np.float32), TRUTH.std(axis=0)
    errors = (said - TRUTH) / deviation
    of = {name: ValueLoss(TRUTH, name, 0.5, 0.9) for name in ("huber", "squared")}
    outputs, truth = torch.from_numpy(said), torch.from_numpy(TRUTH)
    huber = np.where(np.abs(errors) <= 0.5, errors**2 / 2, 0.5 * (np.abs(errors) - 0.25))
    assert of["huber"](outputs, truth).item() == pytest.approx(huber.mean(), rel=1e-5)
    assert of["squared"](outputs, truth, "sum").item() == pytest.approx((errors**2).mean(axis=1).sum(), rel=1e-5)
    judged = of["squared"].judge(outputs, truth)
    assert judged.scores.numpy() == pytest.approx(np.abs(errors).mean(axis=1), rel=1e-5)
    alone = ValueLoss(TRUTH[:, :1], "huber", 1.0, 0.9).judge(outputs[:, :1], truth[:, :1])
    assert alone.scores.tolist() == pytest.approx([1.0, 1.0, 1.0])  # in its own unit


def test_the_quantile_loss_is_least_at_the_quantiles():
    truth = torch.from_numpy(np.random.default_rng(0).exponential(size=(4001, 1)).astype(np.float32))
    loss = ValueLoss(truth.numpy(), "quantile", 1.0, 0.8)
    outputs = torch.zeros(1, 3, requires_grad=True)
    optimizer = torch.optim.Adam([outputs], 0.02)
    for _ in range(600):
        optimizer.zero_grad()
        loss(outputs.expand(4001, 3), truth).backward()
        optimizer.step()
    expected = np.quantile(truth.numpy(), [0.1, 0.5, 0.9])
    assert outputs[0].tolist() == pytest.approx(expected.tolist(), abs=0.05)


def test_quantiles_never_cross_in_the_answers():
    task = Regression(targets=["a", "b"], loss="quantile")
    assert task.outputs(task.targets) == 6
    answers = task.answers(torch.tensor([[3.0, 1.0, 2.0, -1.0, 0.0, 5.0]]))
    assert answers.tolist() == [[1.0, 2.0, 3.0, -1.0, 0.0, 5.0]]


class CubedLoss(Loss):
    """Of one's own."""

    def of(self, outputs, targets):
        return ((outputs - targets).abs() ** 3).mean(dim=1)


def test_a_loss_of_ones_own_is_given_deviations():
    task = Regression(targets=["a", "b"], loss=CubedLoss())
    objective = task.objective(Targets(task.targets, TRUTH), np.arange(3), None)
    said = TRUTH + TRUTH.std(axis=0)
    assert objective(torch.from_numpy(said), torch.from_numpy(TRUTH)).item() == pytest.approx(1.0, rel=1e-5)
