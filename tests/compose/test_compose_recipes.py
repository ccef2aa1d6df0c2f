"""conf/ and recipes/ compose into one validated recipe."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from totalml.component import plain
from totalml.compose import compose_recipe, main
from totalml.identity import config_hash
from totalml.recipe import what
from totalml.sweep import sweep

REPOSITORY = Path(__file__).parents[2]


def run_py(*arguments, python_code=None):
    command = [sys.executable, *(["-c", python_code] if python_code else ["run.py"]), *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)


def test_a_recipe_inherits_another_and_overrides_its_group(project, write_recipe):
    write_recipe("child", "defaults:\n  - photos\n  - override /model: torchvision\n  - _self_\nname: child\nseed: 7\n")
    recipe = compose_recipe(project, ["+recipe=child"])
    assert (recipe.name, recipe.seed) == ("child", 7)
    assert type(recipe.model.image).__name__ == "TorchvisionBackbone"
    assert type(recipe.data.source).__name__ == "ImageFolder"


def test_the_command_line_wins_over_the_recipe_also_for_keys_that_no_file_holds(project):
    recipe = compose_recipe(project, ["recipe=photos", "training.epochs=3", "training.clip_norm=0.5"])
    assert (recipe.training.epochs, recipe.training.clip_norm) == (3, 0.5)


def test_several_recipes_run_one_by_one_and_a_wrong_one_stops_all_before_the_first(project, write_recipe, capsys):
    write_recipe("other", "defaults:\n  - photos\n  - _self_\nname: other\n")
    places = [f"runtime.store={project / 'store'}", f"runtime.runs={project / 'runs'}"]
    seen = []
    several = ["-m", "+recipe=photos,other", "seed=1,2", *places]
    assert main(project, lambda recipe: seen.append((recipe.name, recipe.seed)), several, sweep=sweep) == 0
    assert seen == [("photos", 1), ("photos", 2), ("other", 1), ("other", 2)]
    write_recipe("a_wrong_one", "name: x\nseed: -1\n")
    seen.clear()
    every = ["-m", "+recipe=glob(*)", *places]
    assert main(project, lambda recipe: seen.append(recipe.name), every, sweep=sweep) == 2
    assert seen == []
    said = capsys.readouterr().err
    assert "recipes/a_wrong_one.yaml:2" in said
    assert "in the job recipe=a_wrong_one" in said or "in the job +recipe=a_wrong_one" in said


def test_the_help_lists_groups_and_recipes():
    shown = run_py("--help")
    assert shown.returncode == 0
    assert "mlp, own, small_cnn, small_cnn_and_mlp, torchvision" in shown.stdout
    assert (
        "recipe: clothing, guinness, guinness_drill, guinness_drill_smoke, guinness_faults, guinness_head"
        in shown.stdout
    )


def test_cfg_job_prints_the_composed_recipe():
    shown = run_py("+recipe=guinness_smoke", "--cfg", "job")
    composed = yaml.safe_load(shown.stdout)
    assert composed["name"] == "guinness_smoke"
    assert composed["data"]["source"]["_target_"] == "recipes.guinness.source.PintSource"


@pytest.mark.parametrize(
    "arguments", [["--cfg", "job"], ["training.epoch=3"], ["model.image._target_=totalml.model.X"]]
)
def test_composing_and_reporting_mistakes_import_nothing_heavy(arguments):
    heavy = "{'torch', 'torchvision', 'lightning', 'pandas', 'pyarrow', 'numpy', 'PIL', 'deepchecks'}"
    code = (
        "import sys; from pathlib import Path; from totalml.compose import main; from totalml.runner import run\n"
        "main(Path.cwd(), run, sys.argv[1:])\n"
        f"sys.exit(str(heavy) if (heavy := {heavy} & set(sys.modules)) else 0)"
    )
    shown = run_py("+recipe=guinness_smoke", *arguments, python_code=code)
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize("file", sorted((REPOSITORY / "recipes").glob("*.yaml")), ids=lambda file: file.stem)
def test_every_committed_recipe_is_valid(file):
    table = ["data.source.table=x.csv"]
    needed = {"image_folder": ["data.source.root=x"]}
    needed |= dict.fromkeys(("clothing", "image_table", "table"), table)
    lever = "plan.levers={tv:{feature:marketing/spend_tv,cost:spend_tv}}"
    needed["marketing_table"] = [*table, "plan.value=2.5", "features.shared=[marketing/spend_tv]", lever]
    recipe = compose_recipe(REPOSITORY, [f"+recipe={file.stem}", *needed.get(file.stem, [])])
    assert recipe.name == file.stem


def hash_of(project, *overrides):
    return config_hash(what(compose_recipe(project, ["+recipe=photos", *overrides])))


@pytest.mark.parametrize(
    "same",
    [
        ["seed=0"],  # a default written out
        ["training.epochs=30.0"],  # another spelling of a whole number
        ["training.epochs=${training.batch_size}", "training.batch_size=20"],
        ["runtime.device=cpu", "runtime.store=elsewhere"],
        ["data.source.root=moved"],
        ["data.snapshot=blake3:" + "0" * 64],
    ],
)
def test_what_does_not_change_the_result_does_not_change_the_config_hash(project, same):
    reference = ["training.batch_size=20", "training.epochs=20"] if "training.batch_size=20" in same else []
    assert hash_of(project, *same) == hash_of(project, *reference)


@pytest.mark.parametrize(
    "other", ["seed=1", "training.optimizer.lr=0.002", "features.image.size=64", "model=torchvision"]
)
def test_what_changes_the_result_changes_the_config_hash(project, other):
    assert hash_of(project, other) != hash_of(project)


def test_the_order_of_keys_does_not_change_the_config_hash(project, write_recipe):
    before = hash_of(project)
    write_recipe(
        "photos", "data:\n  source:\n    root: photos\nname: photos\ndefaults:\n  - override /data: image_folder\n"
    )
    assert hash_of(project) == before


def test_a_composed_recipe_written_out_means_the_same_recipe(project, write_recipe):
    recipe = compose_recipe(project, ["+recipe=photos", "training.clip_norm=1"])
    write_recipe("again", yaml.safe_dump(plain(recipe, where=True)))
    assert compose_recipe(project, ["+recipe=again"]) == recipe


OF_OWN_DATA = [
    line.split("  #")[0]
    for line in (REPOSITORY / "README.md").read_text(encoding="utf-8").splitlines()
    if line.startswith("python run.py +recipe=") and "data.source." in line
]


@pytest.mark.parametrize("command", OF_OWN_DATA)
def test_what_the_readme_says_of_own_data_composes(command):
    _, _, recipe, *overrides = shlex.split(command)
    compose_recipe(REPOSITORY, [recipe, *overrides])


def test_the_readme_has_such_commands():
    assert len(OF_OWN_DATA) >= 5
