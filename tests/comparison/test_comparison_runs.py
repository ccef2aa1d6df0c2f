"""Two runs against each other: what a run left is enough to tell every planted difference."""

import json
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
import yaml

from tests.evaluated import classified
from tests.projects import commit
from totalml.comparison import compare, run_side, save_code
from totalml.comparison.figures import paired_in_words
from totalml.comparison.sources import digest_of
from totalml.component import plain
from totalml.compose import compose_recipe
from totalml.data import Sample, take_snapshot
from totalml.evaluation.interval import Interval
from totalml.fingerprint import code
from totalml.identity import config_hash, run_id
from totalml.kinds import Source
from totalml.project import Place
from totalml.recipe import DataRecipe, what
from totalml.runs.find import find_run
from totalml.store import Store

METRIC = {"value": 0.5, "low": 0.4, "high": 0.6, "note": None}


class Drawn(Source):
    """Samples of two labels without pictures, by name -> label."""

    labels: dict[str, str]

    def samples(self):
        return (Sample(name, None, label=label) for name, label in self.labels.items())


@pytest.fixture
def place(project) -> Place:
    return Place(project, project / "runs", project / "store")


@pytest.fixture
def write_run(place):
    """Write what a finished run of `photos` leaves."""

    def write(labels: dict[str, str], right: list[bool], *overrides: str, **facts) -> Path:
        recipe = compose_recipe(place.project, ["+recipe=photos", *overrides])
        store = Store(place.store)
        data = take_snapshot(DataRecipe(source=Drawn(labels=labels)), store).data_hash
        config = config_hash(what(recipe))
        folder = place.runs / "photos" / run_id(config, data)
        folder = folder / str(len(list(folder.glob("*"))) + 1)
        folder.mkdir(parents=True)
        run = {
            "name": "photos",
            "run_id": run_id(config, data),
            "config_hash": config,
            "data_hash": data,
            "status": "finished",
            "code": code(recipe),
            "environment": {"digest": "e", "python": "3.11", "platform": "Linux", "packages": {"torch": "2.14"}},
            "execution": {"digest": "x", "device": "cpu", "threads": None},
        }
        save_code(recipe, store)
        (folder / "run.json").write_text(json.dumps(run | facts))
        (folder / "recipe.yaml").write_text(yaml.safe_dump(plain(recipe, where=True), sort_keys=False))
        said = ["a" if each else "b" for each in right]
        table = pa.table({"id": [str(n) for n in range(len(right))], "label": ["a"] * len(right), "predicted": said})
        classified(table, metrics={"accuracy": Interval(**METRIC)}).save(folder)
        return folder

    return write


def compared(place, one, other):
    return compare(*(run_side(str(folder), find_run(str(folder), place.runs)) for folder in (one, other)), place)


LABELS = {"1": "a", "2": "a", "3": "b", "4": "b"}


def test_two_attempts_of_one_run_do_not_differ(place, write_run):
    found = compared(place, write_run(LABELS, [True, False]), write_run(LABELS, [True, False]))
    assert (found.keys, found.files, found.environment, found.execution) == ((), (), (), ())
    assert not found.data
    assert paired_in_words(found.paired) == "right on the same 2 test samples"


def test_a_sample_with_another_label_and_one_that_is_new_are_named(place, write_run):
    other = write_run(LABELS | {"2": "b", "5": "a", "6": "a"}, [True])
    found = compared(place, write_run(LABELS, [True]), other)
    assert found.data.added == ("5", "6")
    assert found.data.changed == {"2": ("label",)}


def test_another_package_and_another_thread_count_are_named(place, write_run):
    environment = {"digest": "f", "python": "3.11", "platform": "Linux", "packages": {"torch": "2.15"}}
    execution = {"digest": "y", "device": "cpu", "threads": 2}
    other = write_run(LABELS, [True], environment=environment, execution=execution)
    found = compared(place, write_run(LABELS, [True]), other)
    assert [(each.name, each.old, each.new) for each in found.environment] == [("torch", "2.14", "2.15")]
    assert [(each.name, each.old, each.new) for each in found.execution] == [("threads", None, 2)]


def test_another_learning_rate_is_named_and_counts(place, write_run):
    one, other = write_run(LABELS, [True]), write_run(LABELS, [True], "training.optimizer.lr=0.5", "runtime.threads=3")
    found = compared(place, one, other)
    assert [(each.key, each.new, each.counts) for each in found.keys] == [
        ("training.optimizer.lr", 0.5, True),
        ("runtime.threads", 3, False),
    ]


def test_a_model_that_is_right_more_often_is_called_better(place, write_run):
    worse, better = [index % 2 == 0 for index in range(200)], [index % 4 != 0 or index % 8 == 0 for index in range(200)]
    found = compared(place, write_run(LABELS, worse), write_run(LABELS, better))
    assert paired_in_words(found.paired).startswith("better by")


def test_code_that_is_neither_in_the_store_nor_in_git_is_said_to_be_missing(place, write_run):
    lost = {"digest": "blake3:" + "0" * 64, "sources": {"totalml": "x"}, "git": None}
    found = compared(place, write_run(LABELS, [True]), write_run(LABELS, [True], code=lost))
    assert found.files is None
    assert "neither in the store nor in git" in found.remarks["code"]


def test_code_that_is_not_in_the_store_is_taken_from_git(place, write_run):
    source = place.project / "src/totalml/augment.py"
    source.parent.mkdir(parents=True)
    made_with = []
    for line in (b"share = 0.5\n", b"share = 0.6\n"):
        source.write_bytes(line)
        digest = digest_of({"totalml": {"augment.py": line}})
        commit_ = {"commit": commit(place.project), "dirty": False}
        made_with.append({"code": {"digest": digest, "sources": {"totalml": ""}}, "git": commit_})
    one, other = (write_run(LABELS, [True], **facts) for facts in made_with)
    found = compared(place, one, other)
    assert [(file.name, file.lines[1:]) for file in found.files] == [
        ("totalml/augment.py", ("-share = 0.5", "+share = 0.6")),
    ]
    assert found.remarks["code"] == ""
    made_with[1]["code"]["digest"] = "blake3:" + "0" * 64  # there was more than the commit
    found = compared(place, one, write_run(LABELS, [True], **made_with[1]))
    assert "had changes that were not committed" in found.remarks["code"]


def test_a_recipe_that_todays_code_no_longer_takes_is_compared_all_the_same(place, write_run):
    one, other = write_run(LABELS, [True]), write_run(LABELS, [True])
    values = yaml.safe_load((other / "recipe.yaml").read_text())
    values["training"]["key_of_the_past"] = 1
    values["runtime"]["threads"] = 9
    (other / "recipe.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    found = compared(place, one, other)
    assert [(each.key, each.counts) for each in found.keys] == [
        ("training.key_of_the_past", True),
        ("runtime.threads", False),
    ]


def test_a_snapshot_that_is_gone_is_said_to_be_missing(place, write_run):
    one, other = write_run(LABELS, [True]), write_run(LABELS | {"5": "a"}, [True])
    shutil.rmtree(place.store / "snapshots")
    found = compared(place, one, other)
    assert found.data is None
    assert "not in the store" in found.remarks["data"]


def test_a_recipe_is_measured_by_its_latest_run(place, write_run, totalml, project):
    write_run(LABELS, [True, False])
    where = ["--runs", str(place.runs), "--store", str(place.store)]
    shown = totalml("diff", "photos", "HEAD:photos", *where)
    assert shown.count("measured by run") == 2
    assert "50.0" in shown
    found = json.loads(totalml("diff", "photos", "HEAD:photos", "--json", *where))
    assert found["metrics"][0]["old"] == METRIC


def test_the_records_can_be_written_as_json_and_markdown(place, write_run, totalml):
    one, other = write_run(LABELS, [True]), write_run(LABELS | {"5": "a"}, [False])
    found = json.loads(totalml("diff", str(one), str(other), "--json"))
    assert found.keys() == {
        *("old", "new", "keys", "data", "code", "environment", "inputs", "execution", "metrics", "paired", "remarks"),
    }
    assert totalml("diff", str(one), str(other), "--markdown").startswith("**Compared**")
