"""Every part that docs/extending.md brings along takes its place, and says clearly what it lacks."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from recipes.own.grey import Grey
from recipes.own.loss import FocalLoss
from totalml.component import ForeignComponent
from totalml.compose import compose_recipe
from totalml.data.snapshot import Snapshot
from totalml.errors import EvaluationError, FeatureError, RecipeError
from totalml.evaluation.own_metrics import with_own_metrics
from totalml.evaluation.predicted import Predicted
from totalml.features.own import with_own
from totalml.features.table import TableColumns
from totalml.kinds import Feature
from totalml.recipe import EvaluationRecipe
from totalml.runner import run
from totalml.task import Classification, MultiLabel, Regression
from totalml.training.loss import CrossEntropy

REPOSITORY = Path(__file__).parents[2]
CLASSES = "torchmetrics.classification"
MATTHEWS = f"{CLASSES}.MulticlassMatthewsCorrCoef"


def test_the_recipe_of_own_parts_runs_whole(tmp_path):
    where = [f"runtime.store={tmp_path}/store", f"runtime.runs={tmp_path}/runs", "runtime.progress=none"]
    folder = run(compose_recipe(REPOSITORY, ["+recipe=own_parts", "data.source.count=60", "tracking=none", *where]))
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    assert 0.5 <= metrics["sureness"]["low"] <= metrics["sureness"]["value"] <= metrics["sureness"]["high"] <= 1
    assert "Sureness" in (folder / "MODEL_CARD.md").read_text()
    assert json.loads((folder / "gates.json").read_text())["releasable"]


def test_focal_loss_without_focus_is_cross_entropy_and_is_minimised_in_its_place():
    torch.manual_seed(0)
    outputs, targets = torch.randn(9, 3), torch.randint(0, 3, (9,))
    plain = torch.nn.functional.cross_entropy(outputs, targets)
    assert torch.allclose(CrossEntropy(None, 0.0, FocalLoss(gamma=0.0))(outputs, targets), plain)
    focal = CrossEntropy(None, 0.0, FocalLoss(gamma=2.0))(outputs, targets)
    chosen = outputs.softmax(1)[torch.arange(9), targets]
    assert torch.allclose(focal, ((1 - chosen) ** 2 * -chosen.log()).mean())


def test_grey_depends_on_the_key_of_a_sample_and_not_on_its_batch():
    images = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
    keys = torch.arange(40) * 7919
    whole = Grey(probability=0.5).apply(images, keys)
    halves = [Grey(probability=0.5).apply(images[part], keys[part]) for part in (slice(0, 20), slice(20, 40))]
    assert torch.equal(whole, torch.cat(halves))
    colourless = (whole[:, 0] == whole[:, 1]).flatten(1).all(dim=1)
    assert 5 < colourless.sum() < 35


def measured(metrics: dict, resamples: int = 50):
    labels = np.arange(60) % 2
    sure = np.where((np.arange(60) % 5 == 0)[:, None], [[0.7, 0.3]], [[0.4, 0.6]]).astype(np.float32)
    predicted = Predicted(("a", "b"), [str(n) for n in range(60)], labels, sure, 0)
    evaluation = Classification().evaluate(EvaluationRecipe(depth="metrics", bootstrap=resamples), predicted)
    made = {name: ForeignComponent(target=target, arguments=given) for name, (target, given) in metrics.items()}
    return labels, sure.argmax(1), with_own_metrics(evaluation, made, predicted)


def test_a_metric_of_torchmetrics_is_that_of_its_formula_with_an_interval_around_it():
    labels, said, found = measured({"matthews": (MATTHEWS, {"num_classes": 2})})
    metric = found.metrics["matthews"]
    assert metric.value == pytest.approx(np.corrcoef(labels, said)[0, 1], abs=1e-5)
    assert metric.low < metric.value < metric.high
    assert "matthews" in found.figures()


def test_a_metric_of_labels_is_given_whole_numbers():
    truth, answers = np.array([[1, 0], [0, 1], [1, 1], [0, 0]], np.float32), np.full((4, 2), 0.9, np.float32)
    predicted = Predicted(("a", "b"), list("wxyz"), truth, answers, 0)
    evaluation = MultiLabel(labels=("a", "b")).evaluate(EvaluationRecipe(depth="metrics", bootstrap=0), predicted)
    made = ForeignComponent(target=f"{CLASSES}.MultilabelHammingDistance", arguments={"num_labels": 2})
    assert with_own_metrics(evaluation, {"away": made}, predicted).metrics["away"].value == 0.5


def test_an_infinite_metric_is_not_defined():
    truth = np.array([[0.0], [1.0]], np.float32)
    predicted = Predicted(("a",), ["x", "y"], truth, truth + 1e4, 0)
    evaluation = Regression(targets=("a",)).evaluate(EvaluationRecipe(depth="metrics", bootstrap=5), predicted)
    made = ForeignComponent(target="torchmetrics.LogCoshError", arguments={})
    assert with_own_metrics(evaluation, {"cosh": made}, predicted).metrics["cosh"].note


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"accuracy": (MATTHEWS, {"num_classes": 2})}, "accuracy is a metric of the task already"),
        ({"wide": ("torchmetrics.classification.MulticlassAccuracy", {"num_classes": 7})}, "fails on answers of shape"),
        (
            {"many": ("torchmetrics.classification.MulticlassConfusionMatrix", {"num_classes": 2})},
            "expected one number",
        ),
    ],
)
def test_a_metric_that_does_not_fit_is_named(metrics, told):
    with pytest.raises(EvaluationError, match=told):
        measured(metrics)


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("evaluation.metrics.matthews._target_=torchmetrics.classification.MulticlassMathews", "MulticlassMathews"),
        ("evaluation.metrics.matthews._target_=torchmetrics.utilities.data.dim_zero_cat", "is not allowed"),
        ("evaluation.metrics.matthews._target_=torchmetrics.multimodal.clip_score.CLIPScore", "is not allowed"),
        ("evaluation.metrics.matthews._target_=torchmetrics.image.arniqa.ARNIQA", "is not allowed"),
        ("evaluation.metrics.sureness._target_=torch.optim.AdamW", "expected a metric of torchmetrics"),
        ("evaluation.metrics.sureness._target_=recipes.own.loss.FocalLoss", "metric"),
        ("features.own=[{_target_: recipes.own.loss.FocalLoss}]", "FocalLoss is none"),
        ("gates=[{metric: surenes, at_least: 0}]", "there is no metric 'surenes'"),
    ],
)
def test_what_does_not_fit_its_socket_is_told_at_composition(override, told):
    with pytest.raises(RecipeError) as caught:
        compose_recipe(REPOSITORY, ["+recipe=own_parts", override])
    assert told in str(caught.value)


class Broken(Feature):
    how: str

    def columns(self, snapshot, images):
        made = {"short": np.zeros(2), "infinite": np.array([0, np.inf, 0])}
        return {self.how: made[self.how]}


@pytest.mark.parametrize(
    ("how", "told"),
    [("short", r"makes 'short' of shape \(2,\)"), ("infinite", "1 infinite values"), ("gone", "KeyError: 'gone'")],
)
def test_a_feature_that_makes_no_number_for_each_sample_is_named(how, told):
    nothing = TableColumns(np.zeros((3, 0), np.float32), np.zeros((3, 0), np.int64), ())
    snapshot = Snapshot("blake3:", pa.table({"id": ["a", "b", "c"]}), pa.table({}), pa.table({}))
    with pytest.raises(FeatureError, match=told):
        with_own(nothing, [Broken(how=how)], snapshot, None)
