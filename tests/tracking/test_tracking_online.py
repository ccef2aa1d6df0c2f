"""What the real client sends to a backend is what the run folder holds."""

import json
import time

import pytest

from totalml.tracking.record import wandb_id
from totalml.training.listen import listening


def test_a_run_arrives_whole(runs, serve):
    backend = serve()
    folder = runs.go("tracking=wandb", "tracking.group=the_sweep", "tracking.tags=[a, b]")
    facts = json.loads((folder / "run.json").read_text())
    record = json.loads((folder / "tracking.json").read_text())
    assert record["sent"]
    assert record["problem"] is None
    assert backend.ended == {"complete": True, "exitcode": 0}

    opened, last = backend.told("UpsertBucket")[0], backend.told("UpsertBucket")[-1]
    assert opened["name"] == record["id"] == f"{facts['run_id']}-1-{facts['key'][:4]}"
    assert (opened["project"], opened["groupName"], opened["jobType"]) == ("guinness_smoke", "the_sweep", "train")
    assert sorted(opened["tags"]) == ["a", "b"]
    config = {key: each["value"] for key, each in json.loads(last["config"]).items() if key != "_wandb"}
    assert config["training/epochs"] == 2
    assert config["data/source/_target_"] == "recipes.guinness.source.PintSource"
    assert config["totalml/config_hash"] == facts["config_hash"]
    assert config["totalml/code"] == facts["code"]["digest"]

    epochs = json.loads((folder / "training.json").read_text())["history"]
    curve = [(row["epoch"], row["validation/loss"]) for row in backend.history() if "validation/loss" in row]
    assert curve == [(epoch["epoch"], epoch["validation_loss"]) for epoch in epochs]
    metrics = json.loads((folder / "metrics.json").read_text())
    assert backend.summary()["test/accuracy"] == metrics["metrics"]["accuracy"]["value"]
    assert backend.summary()["test/accuracy_low"] == metrics["metrics"]["accuracy"]["low"]

    sent = backend.files
    assert sent["guinness_smoke-model/model.safetensors"] == (folder / "model.safetensors").read_bytes()
    assert sent["guinness_smoke-report/report.html"] == (folder / "report.html").read_bytes()
    (snapshot,) = runs.store.glob("snapshots/*/samples.parquet")
    assert sent["guinness_smoke-snapshot/samples.parquet"] == snapshot.read_bytes()
    assert [each["input"]["artifactID"] for each in backend.told("UseArtifact")] == ["guinness_smoke-snapshot"]

    tables = {
        name.split("/")[-1].split("_")[0]: json.loads(data) for name, data in sent.items() if "media/table/" in name
    }
    classes, counted = metrics["classes"], metrics["confusion"]
    assert tables["confusion"]["data"] == [
        [true, said, counted[i][j]] for i, true in enumerate(classes) for j, said in enumerate(classes)
    ]
    samples = tables["samples"]
    assert samples["columns"] == ["picture", "id", "label", "predicted", "remark"]
    assert len(samples["data"]) == metrics["count"]
    stored = [data for name, data in sent.items() if "-samples/media/images/" in name]
    assert len(stored) == metrics["count"]
    assert all(data.startswith(b"\xff\xd8") for data in stored)  # JPEG


def test_the_groups_of_samples_arrive_as_a_table(runs, serve):
    backend = serve()
    slices = ["evaluation.slices.columns=[glass]", "evaluation.slices.min_support=3"]
    folder = runs.go("tracking=wandb", "evaluation.depth=full", *slices)
    told = json.loads((folder / "metrics.json").read_text())["slices"]
    (table,) = [json.loads(data) for name, data in backend.files.items() if "media/table/slices" in name]
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    assert [row["group"] for row in rows] == [one["name"] for one in (*told["declared"], *told["found"])]
    first, row = told["declared"][0], rows[0]
    assert (row["family"], row["samples"], row["worse"]) == ("declared", first["count"], first["worse"])
    assert [row["accuracy"], row["accuracy_low"], row["gap_high"], row["chance"]] == [
        first["accuracy"]["value"],
        first["accuracy"]["low"],
        first["gap"]["high"],
        first["p"],
    ]


def test_epochs_are_sent_while_the_training_goes_on(runs, serve):
    backend = serve()

    def wait(epoch, epochs):
        due = time.monotonic() + 120
        while epoch.epoch == 1 and 1 not in [row.get("epoch") for row in backend.history()]:
            assert time.monotonic() < due, "the epoch was not sent before the next one"
            time.sleep(0.05)

    with listening(wait):
        runs.go("tracking=wandb", "seed=1")
    assert [row["epoch"] for row in backend.history() if "validation/loss" in row] == [1, 2]


def test_a_run_that_fails_is_told_as_failed(runs, serve):
    backend = serve()

    def fail(epoch, epochs):
        due = time.monotonic() + 120
        while not backend.told("UpsertBucket") and time.monotonic() < due:
            time.sleep(0.05)
        raise RuntimeError("planted")

    with pytest.raises(RuntimeError, match="planted"), listening(fail):
        runs.go("tracking=wandb", "seed=2")
    due = time.monotonic() + 120
    while not backend.ended and time.monotonic() < due:
        time.sleep(0.05)
    assert backend.ended == {"complete": True, "exitcode": 1}


def test_a_finished_run_is_not_sent_again(runs, serve):
    backend = serve()
    runs.go("tracking=wandb")
    told = len(backend.operations)
    runs.go("tracking=wandb")
    assert len(backend.operations) == told


def test_nothing_of_the_sending_stays_in_the_run_folder(runs, serve):
    serve()
    folder = runs.go("tracking=wandb")
    assert [path.name for path in (folder / "wandb").iterdir()] == ["staged"]


def test_the_same_run_elsewhere_has_an_id_of_its_own():
    facts = {"run_id": "526d781b-13211337", "attempt": 1, "key": "496a0000"}
    assert wandb_id(facts) == "526d781b-13211337-1-496a"
    assert wandb_id(facts | {"key": "ffff0000"}) != wandb_id(facts)
