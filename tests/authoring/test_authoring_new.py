"""What `totalml recipe new` writes passes every check at once, or nothing is written."""

import os
import shutil
from pathlib import Path

import pytest
import yaml

from tests.projects import REPOSITORY, new_project, replace
from tests.warm import run_python
from totalml.compose import compose_recipe
from totalml.errors import StoreError
from totalml.team import Team, read_team

NOT_SOURCE = shutil.ignore_patterns("__pycache__")


def files_of(project: Path) -> set[str]:
    return {path.relative_to(project).as_posix() for path in project.rglob("*") if ".git/" not in path.as_posix()}


def test_it_writes_recipe_card_test_and_golden_file(project, totalml):
    totalml("recipe", "new", "my_photos", "--from", "photos", "--question", 'Is it "sharp"?')
    values = yaml.safe_load((project / "recipes/my_photos.yaml").read_text())
    assert values.pop("monitoring") == {"false_alarms_per_year": 2}
    assert values == {"defaults": ["photos", "_self_"], "name": "my_photos", "question": 'Is it "sharp"?'}
    assert (
        (project / "recipes/my_photos.yaml")
        .read_text()
        .startswith('# Is it "sharp"?\n#\n# Data    as in recipes/photos')
    )
    assert '**Question.** Is it "sharp"?' in (project / "recipes/my_photos/README.md").read_text()
    golden = yaml.safe_load((project / "tests/recipes/test_my_photos/my_photos_composed.yml").read_text())
    assert golden["recipe"]["name"] == "my_photos"
    assert "my_photos  valid  config " + golden["config_hash"][7:15] in totalml("recipe", "check", "my_photos")


def test_what_inherits_nothing_has_a_gate_and_a_question_of_its_own(project, totalml):
    totalml("recipe", "new", "mine")
    recipe = compose_recipe(project, ["+recipe=mine", "data.source.root=photos"])
    assert [gate.title for gate in recipe.gates] == ["accuracy at least 0.9"]
    assert recipe.review.question == "Which of these does the photo show?"


def test_the_first_recipe_brings_a_team_and_the_next_one_leaves_it(project, totalml, monkeypatch):
    monkeypatch.setenv("LOGNAME", "o'brien \\ 7")
    assert "\n  team.yaml\n" in totalml("recipe", "new", "one")
    team = read_team(project)
    assert team is not None
    assert team.of("one") == Team(
        owner="o'brien \\ 7",
        reviewers=(),
        may_promote=("o'brien \\ 7",),
        may_deploy=("o'brien \\ 7",),
        told={"all": ("o'brien \\ 7",)},
    )
    (project / "team.yaml").write_text("owner: eve\n")
    assert "team.yaml" not in totalml("recipe", "new", "two")
    assert (project / "team.yaml").read_text() == "owner: eve\n"


NEW = """
from totalml.cli import main
assert main(["recipe", "new", "of_photos"]) == 0
for name, parent in [("of_pints", "guinness"), ("of_smoke", "guinness_smoke"), ("of_clothes", "clothing")]:
    assert main(["recipe", "new", name, "--from", parent]) == 0
assert main(["recipe", "check", "--no-smoke"]) == 0
"""


@pytest.mark.slow
def test_what_it_writes_passes_every_check_at_once(tmp_path):
    parents = ["guinness", "guinness_smoke", "clothing"]
    new_project(tmp_path, {name: (REPOSITORY / f"recipes/{name}.yaml").read_text() for name in parents})
    replace(tmp_path / "recipes/guinness_smoke.yaml", "count: 200", "count: 60")
    shutil.copytree(REPOSITORY / "recipes/guinness", tmp_path / "recipes/guinness", ignore=NOT_SOURCE)
    for name in ("pyproject.toml", ".yamllint", ".gitignore", "recipes/__init__.py"):
        shutil.copy(REPOSITORY / name, tmp_path / name)

    def go(*command: str) -> str:
        where = {**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OMP_NUM_THREADS": "1"}
        done = run_python([*command], tmp_path, where)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert go("-c", NEW).count("valid") == len(parents) + 4
    go("-m", "ruff", "check", "tests")
    go("-m", "ruff", "format", "--check", "tests")
    go("-m", "yamllint", "--strict", "recipes", "tests", "team.yaml")
    warm = ("-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning")
    assert "5 passed" in go("-m", "pytest", *warm, "tests/recipes")  # four compose, and the small one runs


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["My"], "'My' cannot be a recipe's name"),
        (["../up"], "cannot be a recipe's name"),
        (["a" * 65], "cannot be a recipe's name"),
        (["class"], "no word of Python"),
        (["photos"], "recipes/photos.yaml is there already"),
        (["x", "--from", "photo"], "there is no recipe 'photo' to inherit, did you mean 'photos'?"),
        (["x", "--question", "a\nb"], "--question is one line"),
    ],
)
def test_a_name_that_will_not_do_writes_nothing(project, totalml, arguments, message):
    before = files_of(project)
    assert message in totalml("recipe", "new", *arguments, expect=2)
    assert files_of(project) == before


def test_nothing_that_is_there_is_overwritten(project, totalml):
    (project / "tests/recipes").mkdir(parents=True)
    (project / "tests/recipes/test_mine.py").write_text("mine")
    before = files_of(project)
    assert "tests/recipes/test_mine.py is there already" in totalml("recipe", "new", "mine", expect=2)
    assert files_of(project) == before


def test_a_disk_that_fills_up_half_way_leaves_nothing(project, totalml, monkeypatch):
    from totalml.store import atomic

    before, whole = files_of(project), atomic.write_atomically

    def full(path: Path, data: bytes) -> None:
        if path.suffix == ".py":
            raise StoreError("the disk is full")
        whole(path, data)

    monkeypatch.setattr(atomic, "write_atomically", full)
    assert "the disk is full" in totalml("recipe", "new", "mine", expect=5)
    assert files_of(project) == before


def test_a_parent_with_mistakes_is_told(project, totalml):
    (project / "recipes/broken.yaml").write_text("name: broken\nseed: -1\n")
    before = files_of(project)
    assert "recipes/broken.yaml:2: 'seed'" in totalml("recipe", "new", "mine", "--from", "broken", expect=2)
    assert files_of(project) == before
