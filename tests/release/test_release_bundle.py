"""A release is named by all that it holds, loads without torch and recipe code, and answers as its run did."""

import json
import shutil
import subprocess
import sys
import threading

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import load_file

from tests.release.registered import EASY, NAME, Project
from totalml.errors import StoreError
from totalml.identity import PREFIX
from totalml.release.bundle import (
    MANIFEST,
    METRICS,
    REFERENCE,
    REGION,
    RELEASES,
    SBOM,
    Bundle,
    new_folder,
    open_bundle,
    read_bundle,
    releases,
    save_bundle,
)
from totalml.store import Store, open_store

LONELY = """
import sys
for name in ("torch", "torchvision", "lightning", "wandb", "hydra", "omegaconf", "recipes"):
    sys.modules[name] = None  # importing it fails
from pathlib import Path
from totalml.release.bundle import read_bundle
from totalml.release.scorer import Scorer
scorer = Scorer.load(read_bundle(Path(sys.argv[1])))
files = sorted(Path(sys.argv[2]).iterdir())
inputs = scorer.inputs([file.name for file in files], [file.read_bytes() for file in files])
scored = scorer.score(inputs, explain=True)
import pyarrow.compute as pc
import pyarrow.parquet as pq
pq.write_table(scored.answers, sys.argv[3])
print(scored.maps.shape, scored.embeddings.shape, scored.strangeness.shape)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("project"))
    project.go(EASY, "evaluation=standard", "evaluation.bootstrap=50", "evaluation.robustness=null")
    return project


@pytest.fixture
def bundle(project, tmp_path) -> Bundle:
    """A copy to be damaged."""
    there = project.bundle()
    shutil.copytree(there.folder, tmp_path / RELEASES / there.folder.name)
    return open_bundle(there.hash, Store(tmp_path))


def test_it_holds_all_that_a_release_needs(bundle):
    assert {
        "model.onnx",
        "model.safetensors",
        "signature.json",
        "out_of_distribution.safetensors",
        "reference/rows.parquet",
        "recipe.yaml",
        "metrics.json",
        "gates.json",
        "MODEL_CARD.md",
        "sbom.cdx.json",
    } <= set(bundle.files)
    assert bundle.folder.name == bundle.hash.removeprefix(PREFIX)
    assert {"run_id", "data_hash", "features", "code_digest", "environment_digest"} <= set(bundle.facts)
    bundle.verify()


def test_any_file_that_changed_or_went_is_named(bundle):
    for name in bundle.files:
        path, data = bundle.folder / name, (bundle.folder / name).read_bytes()
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
        with pytest.raises(StoreError, match=f"{path} is not what was released"):
            read_bundle(bundle.folder).read(name)
        path.unlink()
        with pytest.raises(StoreError, match=f"{path} cannot be read"):
            read_bundle(bundle.folder).verify()
        path.write_bytes(data)
    read_bundle(bundle.folder).verify()


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values["facts"].update(name="other"),
        lambda values: values["facts"].update(schema=2),
        lambda values: values["files"].update({"../../evil": "blake3:" + "0" * 64}),
        lambda values: values["files"].update({"/etc/passwd": "blake3:" + "0" * 64}),
        lambda values: values["files"].update({METRICS: "blake3:" + "0" * 64}),
        lambda values: values["files"].update({METRICS: 1}),
        lambda values: values.pop("files"),
    ],
)
def test_a_manifest_that_changed_is_refused(bundle, tmp_path, change):
    file = bundle.folder / MANIFEST
    values = json.loads(file.read_text())
    change(values)
    file.write_text(json.dumps(values))
    with pytest.raises(StoreError, match="manifest"):
        open_bundle(bundle.hash, Store(tmp_path))


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_a_manifest_that_is_none_is_refused(bundle, tmp_path, data):
    (bundle.folder / MANIFEST).write_bytes(data)
    with pytest.raises(StoreError, match="is no manifest of a release"):
        open_bundle(bundle.hash, Store(tmp_path))


def test_the_same_twice_is_one_release_and_another_byte_another(tmp_path):
    store = Store(tmp_path)
    hashes = []
    for content in (b"one", b"one", b"two"):
        with new_folder(store) as folder:
            (folder / "part").mkdir()
            (folder / "part" / "file.txt").write_bytes(content)
            hashes.append(save_bundle(folder, {"name": "pints"}, store).hash)
    assert hashes[0] == hashes[1] != hashes[2]
    assert releases(store) == sorted({*hashes})


def _save(store):
    with new_folder(store) as folder:
        (folder / "file.txt").write_bytes(b"one")
        save_bundle(folder, {"name": "pints"}, store)


def test_a_kill_while_it_is_made_leaves_no_release(tmp_path, monkeypatch):
    store = Store(tmp_path)

    class Killed(BaseException):
        pass

    def die(*_, **__):
        raise Killed

    monkeypatch.setattr("totalml.release.bundle.shutil.copytree", die)
    monkeypatch.setattr("totalml.release.bundle.shutil.rmtree", lambda *_, **__: None)  # nor is anything tidied up
    with pytest.raises(Killed):
        _save(store)
    monkeypatch.undo()
    assert releases(store) == []
    assert any((tmp_path / RELEASES).iterdir())
    _save(store)
    assert [path.name for path in (tmp_path / RELEASES).iterdir()] == [releases(store)[0].removeprefix(PREFIX)]


def test_of_two_who_make_a_release_none_takes_the_folder_of_the_other(tmp_path):
    store, order = Store(tmp_path), []

    def second() -> None:
        with new_folder(Store(tmp_path)) as folder:
            order.append("second")
            (folder / "file.txt").write_bytes(b"two")

    with new_folder(store) as folder:
        other = threading.Thread(target=second)
        other.start()
        other.join(0.3)
        assert folder.exists()
        (folder / "file.txt").write_bytes(b"one")
        save_bundle(folder, {"name": "pints"}, store)
        order.append("first")
    other.join(30)
    assert order == ["first", "second"]


def test_another_machine_on_the_same_store_has_the_same_release(project, tmp_path):
    there = f"file://{tmp_path}/there"
    here = project.bundle()
    with new_folder(first := open_store(there, str(tmp_path / "first"))) as folder:
        for name in here.files:
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(here.file(name), folder / name)
        saved = save_bundle(folder, {k: v for k, v in here.facts.items() if k != "schema"}, first)
    assert saved.hash == here.hash
    brought = open_bundle(here.hash, open_store(there, str(tmp_path / "second")))
    brought.verify()
    assert brought.folder != saved.folder


def test_it_answers_as_its_run_did_without_torch_or_code_of_a_recipe(project, tmp_path):
    (attempt,) = project.attempts()
    predictions = pq.read_table(attempt / "predictions.parquet")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    from totalml.data import load_snapshot

    store = Store(project.store)
    samples = load_snapshot(json.loads((attempt / "run.json").read_text())["data_hash"], store).samples
    blobs = dict(zip(samples["id"].to_pylist(), samples["blob"].to_pylist(), strict=True))
    ids = predictions["id"].to_pylist()
    for number, id_ in enumerate(ids):
        (pictures / f"{number:03}").write_bytes(store.read(blobs[id_]))
    command = [sys.executable, "-c", LONELY, str(project.bundle().folder), str(pictures), str(tmp_path / "answers")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = pq.read_table(tmp_path / "answers")
    for name in answers.column_names:
        ours, theirs = answers[name].to_pylist(), predictions[name].to_pylist()
        assert ours == (pytest.approx(theirs, abs=1e-4) if name != "predicted" else theirs), name
    assert done.stdout.startswith(f"({len(ids)}, 2, ")


def test_the_reference_holds_what_a_monitor_compares_with(project):
    (attempt,) = project.attempts()
    predictions = pq.read_table(attempt / "predictions.parquet")
    table = pq.read_table(project.bundle().file(REFERENCE))
    split = np.array(table["split"].to_pylist())
    assert set(split) == {"validation", "test"}
    test = table.filter(split == "test")
    assert test["id"].to_pylist() == predictions["id"].to_pylist()
    assert test["label"].to_pylist() == predictions["label"].to_pylist()
    assert test["answer:p:good"].to_pylist() == pytest.approx(predictions["p:good"].to_pylist(), abs=1e-4)
    strange = pq.read_table(attempt / "out_of_distribution.parquet")["score"].to_pylist()
    assert test["strangeness"].to_pylist() == pytest.approx(strange, rel=1e-3)
    assert {"property:brightness", "property:sharpness", "metadata:pub", "group", "timestamp"} <= {*table.column_names}
    assert len(test["embedding"][0]) == 128


def test_the_reference_holds_what_the_run_saw_the_model_look_at(project):
    """By gradients in torch, of which the run kept bytes; by the ONNX model alone in the release."""
    (attempt,) = project.attempts()
    table = pq.read_table(project.bundle().file(REFERENCE))
    test = table.filter(pc.equal(table["split"], "test"))
    maps = load_file(attempt / "explanation.safetensors")["grad_cam"].astype(float)
    region = json.loads(project.bundle().read(REGION))
    assert region["name"] == "subject"  # as the recipe has masks, and says which part of them it is
    shares = maps / np.where(maps.sum(axis=(1, 2)) > 0, maps.sum(axis=(1, 2)), np.nan)[:, None, None]
    on = (shares * np.array(region["weights"])).sum(axis=(1, 2))
    there = np.isfinite(on)
    assert there.sum() > 5
    told = test["attribution:subject"].to_numpy()
    np.testing.assert_allclose(told[there], on[there], atol=0.02)
    spread = test["attribution:entropy"].to_numpy()[there]
    assert ((spread >= 0) & (spread <= 1)).all()
    assert np.std(spread) > 0


def test_the_bill_of_materials_is_cyclonedx(project):
    bundle = project.bundle()
    bill = bundle.read_json(SBOM)
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    assert bill["serialNumber"].startswith("urn:uuid:")
    assert bill["metadata"]["component"]["type"] == "machine-learning-model"
    references = [each["bom-ref"] for each in bill["components"]]
    assert len({*references}) == len(references)
    assert bill["dependencies"] == [{"ref": "model", "dependsOn": references}]
    packages = {each["name"]: each for each in bill["components"] if each["type"] == "library"}
    facts = json.loads((project.attempts()[0] / "run.json").read_text())
    assert {name: each["version"] for name, each in packages.items()} == facts["environment"]["packages"]
    assert packages["torch"]["purl"] == f"pkg:pypi/torch@{packages['torch']['version']}"
    files = {each["name"]: each["hashes"][0]["content"] for each in bill["components"] if each["type"] == "file"}
    assert files["model.onnx"] == bundle.files["model.onnx"].removeprefix(PREFIX)
    assert f"{facts['name']}" == bill["metadata"]["component"]["name"] == NAME
