"""A stage is done again exactly if something that its result depends on has changed, and the run says what."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from totalml.compose import compose_recipe
from totalml.runner import run
from totalml.stages.stage_cache import Definition, changes

REPOSITORY = Path(__file__).parents[2]
STAGES = ("quality", "features", "training", "evaluation")


def reused(facts):
    return {name for name, stage in facts["stages"].items() if stage["reused"]}


def test_the_first_run_reuses_nothing(project):
    facts = project.go()
    assert tuple(facts["stages"]) == STAGES
    assert reused(facts) == set()
    assert {stage["why"] for stage in facts["stages"].values()} == {""}


@pytest.mark.parametrize(
    ("override", "expected", "stage", "why"),
    [
        (
            "training.optimizer.lr=0.001",
            {"quality", "features"},
            "training",
            "definition changed: training.optimizer.lr 0.003 -> 0.001",
        ),
        (
            "evaluation.bootstrap=10",
            {"quality", "features", "training"},
            "evaluation",
            "definition changed: bootstrap 200 -> 10",
        ),
        ("features.image.size=24", set(), "features", "definition changed: image.size 32 -> 24"),
        ("quality=none", {"features", "training", "evaluation"}, "quality", "definition changed: checks"),
        ("data.split.salt=x", {"features"}, "training", 'definition changed: split.salt "tiny" -> "x"'),
        ("seed=5", {"quality", "features"}, "training", "definition changed: seed 0 -> 5"),
        ("runtime.threads=3", {"quality", "features"}, "training", "execution changed: threads"),  # no machine's own
        ("name=renamed", set(STAGES), None, None),
    ],
)
def test_what_changed_is_done_again_and_nothing_else(project, override, expected, stage, why):
    shutil.rmtree(project.runs)
    project.go()
    facts = project.go(override)
    assert reused(facts) == expected
    if stage:
        assert facts["stages"][stage]["why"].startswith(why)


def test_features_of_known_pictures_with_another_feature_of_ones_own_are_not_called_reused(project):
    own = "++features.own=[{_target_: recipes.own.contrast.Contrast}]"
    facts = project.go("model=small_cnn_and_mlp", own)
    features = facts["stages"]["features"]
    assert not features["reused"]
    assert features["why"].startswith("definition changed: own")


def test_rows_of_a_table_which_every_run_makes_anew_are_never_called_reused(tmp_path):
    (tmp_path / "flats.csv").write_text("area,label\n" + "".join(f"{k},{'ab'[k % 2]}\n" for k in range(60)))
    where = [f"runtime.store={tmp_path}/store", f"runtime.runs={tmp_path}/runs", "runtime.progress=plain"]
    table = ["+recipe=table", f"data.source.table={tmp_path}/flats.csv", "training.epochs=1", "evaluation=quick"]
    for seed in (1, 2):
        folder = run(compose_recipe(REPOSITORY, [*table, *where, f"seed={seed}"]))
        features = json.loads((folder / "run.json").read_text())["stages"]["features"]
        assert (features["reused"], features["why"]) == (False, "")


def test_a_reused_stage_gives_the_same_results_as_doing_it(project, tmp_path):
    """Independent: a store that has never seen the recipe."""
    other = type(project)(tmp_path)
    shutil.rmtree(project.runs)
    again, anew = project.go(), other.go()
    assert reused(again) == set(STAGES)
    assert reused(anew) == set()
    assert again["outputs"] == anew["outputs"]
    for file in ("metrics.json", "quality.json"):
        found = [next(side.runs.glob(f"*/*/1/{file}")).read_bytes() for side in (project, other)]
        assert found[0] == found[1]


@pytest.mark.parametrize("how", ["flipped", "gone", "manifest", "deep"])
@pytest.mark.parametrize("stage", ["quality", "training", "evaluation"])
def test_a_damaged_stage_is_named_and_done_again(project, tmp_path, capsys, stage, how):
    mine = type(project)(tmp_path)
    shutil.copytree(project.store, mine.store)
    project_outputs = project.go()["outputs"]
    for kept in mine.kept(stage):
        result = next(file for file in sorted(kept.iterdir()) if file.name != "stage.json")
        file = kept / "stage.json" if how in ("manifest", "deep") else result
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.unlink()  # not in place: it may share its bytes with a run's file
        if how == "deep":
            file.write_bytes(b"[" * 100_000)
        elif how != "gone":
            file.write_bytes(content if how == "flipped" else content[: len(content) // 2])
    facts = mine.go()
    assert "stages/" in (told := capsys.readouterr().err)
    assert f"{stage} is done again" in told
    assert facts["stages"][stage]["why"].startswith("damaged in the store: ")
    assert facts["outputs"] == project_outputs
    shutil.rmtree(mine.runs)
    assert stage in reused(mine.go())


def test_an_edit_of_a_result_in_a_run_folder_does_not_reach_other_runs(project, tmp_path):
    mine = type(project)(tmp_path)
    outputs = mine.go()["outputs"]
    (weights,) = mine.runs.glob("*/*/1/model.safetensors")
    with weights.open("r+b") as file:
        file.seek(-4, 2)
        file.write(b"abcd")
    facts = mine.go("evaluation.bootstrap=10")
    assert facts["outputs"]["weights"] == outputs["weights"]
    assert not facts["stages"]["training"]["reused"]


def test_rerun_does_every_stage_again(project):
    facts = project.go("runtime.rerun=true")
    assert reused(facts) == {"features"}
    assert facts["compared"]["identical"]


def test_a_weights_file_of_other_content_trains_again(project, tmp_path):
    import torch
    from torchvision import models

    def weights(seed):
        torch.manual_seed(seed)
        torch.save(models.squeezenet1_1(weights=None).state_dict(), tmp_path / "w.pth")

    chosen = ["model=torchvision", "model.image.name=squeezenet1_1", f"model.image.weights={tmp_path}/w.pth"]
    weights(1)
    first = project.go(*chosen)
    assert project.go(*chosen)["attempt"] == first["attempt"]
    weights(2)
    second = project.go(*chosen)
    assert second["attempt"] == first["attempt"] + 1
    assert not second["stages"]["training"]["reused"]
    assert second["stages"]["training"]["why"] == f"files changed: {tmp_path}/w.pth"
    assert second["outputs"]["weights"] != first["outputs"]["weights"]


plain = st.recursive(
    st.none() | st.integers(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.dictionaries(st.text("xyz", min_size=1, max_size=2), inner, max_size=3),
    max_leaves=6,
)
parts = st.dictionaries(st.sampled_from(["definition", "data", "code", "features"]), plain, max_size=4)


@given(parts, parts)
def test_changes_are_told_exactly_where_keys_differ(before, now):
    same = Definition("x", before).key == Definition("x", now).key
    assert (changes(before, now) == "") == same


def test_many_changes_are_counted():
    before = {"definition": dict.fromkeys("abcde", 0)}
    now = {"definition": dict.fromkeys("abcde", 1)}
    assert changes(before, now) == "definition changed: a 0 -> 1, b 0 -> 1, c 0 -> 1 and 2 more"
