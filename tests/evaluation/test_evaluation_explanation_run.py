"""Explanations as a run makes them: with columns beside, behind a frozen backbone, and without pictures none."""

import json
from pathlib import Path

import pytest

from totalml.compose import compose_recipe
from totalml.evaluation import Explanation
from totalml.runner import run
from totalml.runs.attempt import EXPLAINED, REPORT_FILE, RUN_FILE

REPOSITORY = Path(__file__).parents[2]
SMALL = ["+recipe=guinness_smoke", "data.source.count=60", "training.batch_size=16", "data.split.salt=small"]


@pytest.fixture(scope="module")
def run_of(tmp_path_factory):
    """Run the smoke recipe with some overrides; one store for all, so that pictures are decoded once."""
    where = tmp_path_factory.mktemp("runs")

    def make(*overrides: str) -> Path:
        places = [f"runtime.store={where}/store", f"runtime.runs={where}/runs"]
        return run(compose_recipe(REPOSITORY, [*SMALL, *places, *overrides]))

    return make


MODELS = {
    "pictures": (),
    "columns beside": ("model=small_cnn_and_mlp", "features=image_and_table", "features.table.numeric=[temperature_c]"),
    "frozen": ("model.freeze=true", "training=head", "training.epochs=1"),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
def test_any_model_that_sees_pictures_is_explained(run_of, model):
    folder = run_of(*model)
    found = Explanation.load(folder)
    assert found.layer is not None
    assert found.maps["grad_cam"].shape == (found.count, 4, 4)
    assert {name: len(maps) for name, maps in found.maps.items() if name != "grad_cam"} == {
        f"shown.{method}": len(found.shown) for method in ("grad_cam", "integrated_gradients", "smoothgrad_squared")
    }
    assert [one.method for one in found.measured] == ["grad_cam", "integrated_gradients"]
    for one in found.measured:
        shares = {part.part: part.share.value for part in one.located}
        assert set(shares) == {"head", "body", "glass", "distractors", "outside", "subject"}
        assert shares["subject"] == shares["glass"] >= shares["head"]
        assert abs(shares["glass"] + shares["outside"] - 1) < shares["distractors"] + 1e-6
    page = (folder / REPORT_FILE).read_text()
    assert 'id="explanation"' in page
    assert "Grad-CAM: strongest in the" in page


COLUMNS_ALONE = (
    "model=mlp",
    "features=table",
    "features.image=null",
    "features.table.numeric=[temperature_c]",
    "training.augment=[]",
    "evaluation.slices=null",
)


def test_without_pictures_there_is_nothing_to_explain(run_of):
    folder = run_of(*COLUMNS_ALONE)
    assert not any((folder / name).exists() for name in EXPLAINED)
    assert 'id="explanation"' not in (folder / REPORT_FILE).read_text()


def test_a_recipe_can_do_without(run_of):
    folder = run_of("evaluation.explanation=null")
    assert not any((folder / name).exists() for name in EXPLAINED)
    assert "explanation" not in json.loads((folder / RUN_FILE).read_text())["stages"]


def test_other_intervals_or_groups_train_nothing_anew_and_other_slices_explain_nothing_anew(run_of):
    run_of()
    stages = json.loads((run_of("evaluation.slices=null") / RUN_FILE).read_text())["stages"]
    assert {name: stages[name]["reused"] for name in ("training", "evaluation", "explanation")} == {
        "training": True,
        "evaluation": False,
        "explanation": True,
    }
    stages = json.loads((run_of("evaluation.explanation.subject=[head]") / RUN_FILE).read_text())["stages"]
    assert stages["training"]["reused"]
    assert not stages["explanation"]["reused"]


def test_the_same_again_to_the_byte(run_of):
    first, second = run_of(), run_of("runtime.rerun=true")
    assert first != second
    for name in EXPLAINED:
        assert (first / name).read_bytes() == (second / name).read_bytes()
