"""One planted change of each kind is found, and named where it first tells."""

import json
import sys

import numpy as np
import pytest
from PIL import Image

from tests.projects import replace
from totalml.cli import main
from totalml.identity import file_digest
from totalml.runs.attempt import DEEPCHECKS_FILE, PLAN_FILE, RESULTS


@pytest.mark.slow
def test_nothing_changed(finished):
    told = finished.verify("photos", expect=0)
    assert told.splitlines()[0].endswith("attempt 1: identical")
    assert "differs" not in told
    assert "Recipe, data, code, packages and device are the same." in told
    assert len(finished.runs()) == 1  # the second run leaves nothing


@pytest.mark.slow
def test_a_run_is_verified_without_its_source(project):
    run_id = project.runs()[0].parts[-3]
    for photo in (project.folder / "photos").rglob("*.png"):
        photo.unlink()
    assert "identical" in project.verify(run_id[:6], expect=0)


@pytest.mark.slow
def test_a_pixel_in_a_sample(project):
    file = project.folder / "photos" / "dark" / "010.png"
    pixels = np.asarray(Image.open(file)).copy()
    pixels[3, 4, 0] ^= 128
    Image.fromarray(pixels).save(file)
    told = project.verify("photos", expect=1)
    assert "attempt 1: different; they part in data" in told
    assert "dark/010.png" in told
    assert "features    differs" in told


@pytest.mark.slow
def test_a_default_in_conf(project):
    replace(project.folder / "conf/training/standard.yaml", "label_smoothing: 0.08", "label_smoothing: 0.2")
    told = project.verify("photos", expect=1)
    assert "attempt 1: different; they part in training" in told
    assert "training    differs: from step 1 of 6 on" in told
    assert "training.label_smoothing  0.08 → 0.2" in told
    assert "data        same" in told


@pytest.mark.slow
def test_a_line_in_the_augmentation(project):
    replace(project.folder / "recipes/photos/dim.py", "* 0.9", "* 0.2")
    told = project.verify("photos", expect=1)
    assert "they part in training" in told
    assert "from step 1 of 6 on" in told
    assert "recipes/photos/dim.py" in told
    assert "-         return images.float() * 0.9" in told
    assert "+         return images.float() * 0.2" in told


@pytest.mark.slow
def test_a_line_in_totalml(project):
    """After the first epoch, so the first steps are the same."""
    replace(
        project.copy_totalml() / "training/learner.py",
        "        optimizer.zero_grad()\n",
        "        optimizer.zero_grad()\n        batch['image'] = batch['image'] * (1 - 0.5 * self.epoch)\n",
    )
    told = project.verify("photos", expect=1)
    assert "from step 4 of 6 on" in told  # three steps an epoch
    assert "totalml/training/learner.py changed" in told


@pytest.mark.slow
def test_another_thread_count(project):
    told = project.verify("photos", "runtime.threads=2", "--json", expect=0)
    found = json.loads(told)
    assert found["outcome"] in ("identical", "within tolerance")
    threads = next(fact for fact in found["comparison"]["execution"] if fact["name"] == "threads")
    assert (threads["old"], threads["new"]) == (1, 2)


@pytest.mark.slow
def test_a_result_beyond_the_tolerance_is_different_although_nothing_else_is(project):
    """As a result that was edited by hand, or a machine that computes something else."""
    import pyarrow.compute as pc

    from totalml.data.snapshot import parquet_bytes, read_parquet

    folder = project.runs()[0].parent
    table = read_parquet((folder / "predictions.parquet").read_bytes())
    for column in ("p:dark", "p:light"):
        table = table.set_column(table.column_names.index(column), column, pc.subtract(1, table[column]))
    (folder / "predictions.parquet").unlink()
    (folder / "predictions.parquet").write_bytes(parquet_bytes(table))
    facts = json.loads((folder / "run.json").read_text())
    facts["outputs"]["predictions"] = "blake3:" + "0" * 64
    facts["results"]["predictions.parquet"] = file_digest(folder / "predictions.parquet")
    (folder / "run.json").write_text(json.dumps(facts))
    told = project.verify("photos", expect=1)
    assert "attempt 1: different; they part in evaluation" in told


def test_a_damaged_sample_in_the_store_is_named(project):
    (pack,) = (project.folder / ".totalml" / "packs").glob("*.pack")
    content = bytearray(pack.read_bytes())
    content[len(content) // 2] ^= 1
    pack.write_bytes(content)
    told = project.verify(project.runs()[0].parts[-3], expect=5)
    assert "is damaged in" in told
    assert pack.name in told


@pytest.mark.parametrize("content", [None, b"[", b"[" * 100_000, "flipped"], ids=["gone", "cut", "nested", "flipped"])
@pytest.mark.parametrize("name", [name for name in RESULTS if name not in (DEEPCHECKS_FILE, PLAN_FILE)])  # not asked
def test_a_run_that_is_no_longer_whole_proves_nothing(in_process, name, content):
    run, verify = in_process
    file = run / name
    damaged = file.read_bytes()[:-1] + b"\x00" if content == "flipped" else content
    file.unlink()  # not in place: it shares its bytes with the store
    if damaged is not None:
        file.write_bytes(damaged)
    code, said = verify()
    assert code == 5, said
    assert f"gone or changed: {name}" in said


@pytest.fixture
def in_process(project, monkeypatch, capsys):
    """The finished run's folder, and `totalml verify` of it in this process, which ends before anything is run."""
    folder = project.runs()[0].parent
    monkeypatch.chdir(project.folder)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def verify() -> tuple[int, str]:
        return main(["verify", str(folder)]), capsys.readouterr().err

    return folder, verify


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nothing"], "there is no run 'nothing'"),
        (["phots"], "did you mean 'photos'?"),
        (["photos", "training.epoch=3"], "did you mean 'epochs'?"),
        (["photos", "runtime.store=elsewhere"], "by --runs and --store"),
    ],
)
def test_what_cannot_be_verified_is_explained(finished, arguments, told):
    assert told in finished.verify(*arguments, expect=2)


def test_values_go_with_a_recipe_only(finished):
    run_id = finished.runs()[0].parts[-3]
    assert "goes with a recipe" in finished.verify(run_id, "seed=2", expect=2)


@pytest.mark.slow
def test_the_second_run_can_be_kept_in_a_new_folder_only(finished, tmp_path):
    finished.verify("photos", "--keep", str(tmp_path / "kept"), expect=0)
    assert len(list((tmp_path / "kept" / "runs").glob("photos/*/1/report.html"))) == 1
    assert "is not empty, or no folder" in finished.verify("photos", "--keep", str(tmp_path / "kept"), expect=2)
