"""Robustness and strangeness are stages of their own: each is done again when its part of the recipe changes."""

import json

import pytest

from tests.stages.conftest import Project
from totalml.evaluation import OutOfDistribution, Robustness
from totalml.runner import run

FEW = ["evaluation.robustness.samples=4", "evaluation.out_of_distribution.strangers=4"]
ON = [
    "evaluation.depth=full",
    "evaluation.slices=null",
    "evaluation.fairness=null",
    "evaluation.calibration=null",
    *FEW,
]
TABLE = [
    "model=mlp",
    "features=table",
    "features.image=null",
    "features.table.numeric=[taste,temperature_c]",
    "features.table.categorical=[glass]",
    "training.augment=[]",
]
FILES = {
    "robustness.json",
    "out_of_distribution.json",
    "out_of_distribution.parquet",
    "out_of_distribution.safetensors",
}


@pytest.fixture(scope="module")
def on(project: Project):
    """The folder of a run with both."""
    return run(project.recipe(*ON))


def test_a_run_leaves_both_and_shows_them(on):
    facts = json.loads((on / "run.json").read_text())
    assert {facts["results"][name] for name in FILES}.isdisjoint({None})
    assert Robustness.load(on).samples == 4
    assert OutOfDistribution.load(on).fitted_on > 30
    page = (on / "report.html").read_text()
    assert 'id="robustness"' in page
    assert 'id="strange"' in page


def test_another_strength_makes_robustness_again_and_nothing_else(on, project):
    stages = project.go(*ON, "evaluation.robustness.rotation=[1.0,2.0,3.0,4.0,5.0]")["stages"]
    again = {name for name, stage in stages.items() if not stage["reused"]}
    assert again == {"robustness"}
    assert "rotation" in stages["robustness"]["why"]


def test_another_rate_of_false_alarms_makes_strangeness_again_and_nothing_else(on, project):
    stages = project.go(*ON, "evaluation.out_of_distribution.false_alarms=0.2")["stages"]
    assert {name for name, stage in stages.items() if not stage["reused"]} == {"out_of_distribution"}


def test_what_is_off_leaves_nothing(project):
    folder = run(project.recipe())
    assert not FILES & {file.name for file in folder.iterdir()}
    facts = json.loads((folder / "run.json").read_text())
    assert not {"robustness", "out_of_distribution"} & facts["stages"].keys()


def test_a_model_of_tables_goes_without_and_says_so(project, capsys):
    folder = run(project.recipe(*ON, *TABLE))
    said = "".join(capsys.readouterr())
    told = "evaluation.robustness, evaluation.out_of_distribution are left out, because the model sees no pictures"
    assert said.count("left out") == said.count(told) == 1
    assert not FILES & {file.name for file in folder.iterdir()}
