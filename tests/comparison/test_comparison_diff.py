"""`totalml diff` finds a planted change of each kind, in recipes as they stand and at git revisions."""

import json
import shutil

import pytest

from tests.projects import REPOSITORY, commit, git, replace
from totalml.compose import compose_recipe
from totalml.identity import config_hash
from totalml.recipe import what


def diff(totalml, *sides):
    return json.loads(totalml("diff", *sides, "--json"))


def keys_of(found):
    return [(each["key"], each.get("old"), each.get("new")) for each in found["keys"]]


def test_a_key_changed_through_conf_alone_is_found_with_its_place(project, totalml):
    replace(project / "conf/training/standard.yaml", "epochs: 30", "epochs: 31")
    found = diff(totalml, "main:recipes/photos.yaml", "photos")
    assert keys_of(found) == [("training.epochs", 30, 31)]
    assert found["new"]["config_hash"] == config_hash(
        what(compose_recipe(project, ["+recipe=photos", "data.source.root=x"]))
    )
    assert found["old"]["config_hash"] != found["new"]["config_hash"]
    assert "training.epochs  30 → 31  conf/training/standard.yaml:2" in totalml("diff", "main:photos", "photos")


def test_of_two_files_that_set_a_key_the_one_that_wins_is_named(project, totalml):
    with (project / "recipes/photos.yaml").open("a") as recipe:
        recipe.write("training:\n  epochs: 5\n")
    assert "training.epochs  30 → 5  recipes/photos.yaml:9" in totalml("diff", "main:photos", "photos")


def test_the_same_recipe_does_not_differ(totalml):
    found = diff(totalml, "main:recipes/photos.yaml", "recipes/photos.yaml")
    assert found["keys"] == []
    assert "Recipe: the same" in totalml("diff", "photos", "photos")


def test_what_does_not_count_is_told_apart(project, totalml):
    with (project / "recipes/photos.yaml").open("a") as recipe:
        recipe.write("smoke: true\n")
    found = diff(totalml, "HEAD:photos", "photos")
    assert [(each["key"], each["counts"]) for each in found["keys"]] == [("smoke", False)]
    assert found["old"]["config_hash"] == found["new"]["config_hash"]
    assert "no key that counts differs" in totalml("diff", "HEAD:photos", "photos")


@pytest.fixture
def with_code(project):
    """The project with a totalml of its own, committed."""
    shutil.copytree(REPOSITORY / "src/totalml", project / "src/totalml", ignore=shutil.ignore_patterns("__pycache__"))
    commit(project)
    return project


def test_a_revision_is_composed_by_its_own_code(with_code, totalml):
    replace(
        with_code / "src/totalml/recipe/learning.py",
        "dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0",
        "dropout: float = 0.5",
    )
    then = commit(with_code)
    found = diff(totalml, f"{then}:photos", "photos")
    assert ("model.dropout", 0.5, 0.0) in keys_of(found)
    assert "totalml/recipe/learning.py" in [file["name"] for file in found["code"]]


def test_a_revision_whose_code_cannot_compose_is_composed_by_todays(with_code, totalml):
    (with_code / "src/totalml/recipe/recipe.py").write_text("this is no Python\n")
    replace(with_code / "conf/training/standard.yaml", "epochs: 30", "epochs: 29")
    then = commit(with_code)
    replace(with_code / "conf/training/standard.yaml", "epochs: 29", "epochs: 30")
    found = diff(totalml, f"{then}:photos", "photos")
    assert keys_of(found) == [("training.epochs", 29, 30)]
    assert found["old"]["notes"] == ["composed by today's code, because that revision's own code cannot"]


def test_a_project_below_the_root_of_its_repository_is_found(project, totalml, monkeypatch):
    below = project / "below"
    below.mkdir()
    for part in ("conf", "recipes"):
        shutil.move(project / part, below / part)
    commit(project)
    monkeypatch.chdir(below / "conf" / "model")  # any folder of the project will do
    replace(below / "recipes/photos.yaml", "root: photos", "root: others")
    for side in ("photos", "../../recipes/photos.yaml", str(below / "recipes/photos.yaml")):
        assert keys_of(diff(totalml, "HEAD:photos", side)) == [("data.source.root", "photos", "others")]


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("nowhere:photos", "git knows no revision 'nowhere'"),
        ("--output=x:photos", "git knows no revision '--output=x'"),
        ("main:photo", "has no recipe 'photo', did you mean 'photos'?"),
        ("main:../photos", "has no recipe '../photos'"),
        ("photo", "there is no run and no recipe 'photo', did you mean 'photos'?"),
        ("recipes/photo.yaml", "there is no recipe 'recipes/photo.yaml', did you mean 'photos'?"),
        ("0123abcd", "there is no run '0123abcd'; there are no runs in"),
    ],
)
def test_a_side_that_is_nothing_is_explained(totalml, side, message):
    said = (
        totalml("diff", "photos", "--", side, expect=2)
        if side[0] != "-"
        else totalml("diff", "--", "photos", side, expect=2)
    )
    assert message in said
    assert "Traceback" not in said


def test_outside_of_git_it_says_so(project, totalml):
    shutil.rmtree(project / ".git")
    assert "not a git repository" in totalml("diff", "main:photos", "photos", expect=2)


def test_a_link_that_leads_out_of_the_revision_is_not_followed(project, totalml, tmp_path):
    (tmp_path / "secret.yaml").write_text("name: secret\n")
    (project / "recipes/secret.yaml").symlink_to(tmp_path / "secret.yaml")
    then = commit(project)
    assert git(project, "ls-tree", then, "recipes/secret.yaml").startswith("120000")
    said = totalml("diff", f"{then}:secret", "photos", expect=2)
    assert "cannot be extracted" in said
