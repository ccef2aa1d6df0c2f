"""The code of a run is kept once, by the digest that run.json names, and checked when read."""

import zipfile

import pytest

from tests.projects import REPOSITORY, commit, git, new_project
from totalml import fingerprint
from totalml.comparison.revision import code_at
from totalml.comparison.sources import FileChange, code_changes, current_code, load_code, save_code
from totalml.compose import compose_recipe
from totalml.errors import StoreError
from totalml.store import Store


@pytest.fixture(scope="module")
def recipe():
    return compose_recipe(REPOSITORY, ["+recipe=guinness_smoke"])


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "store")


def test_what_is_saved_is_found_by_the_digest_of_the_fingerprint(recipe, store):
    digest = fingerprint.code(recipe)["digest"]
    assert load_code(digest, store) is None
    save_code(recipe, store)
    loaded = load_code(digest, store)
    assert loaded.keys() == {"totalml", "recipes.guinness"}
    assert loaded["totalml"]["cli.py"] == (REPOSITORY / "src/totalml/cli.py").read_bytes()
    assert loaded["recipes.guinness"]["source.py"] == (REPOSITORY / "recipes/guinness/source.py").read_bytes()


def test_the_same_code_gives_the_same_bytes_wherever_it_is_saved(recipe, store, tmp_path):
    other = Store(tmp_path / "other")
    save_code(recipe, store)
    save_code(recipe, other)
    (one,), (two,) = ((each.root / "code").glob("*.zip") for each in (store, other))
    assert one.name == two.name
    assert one.read_bytes() == two.read_bytes()
    before = one.stat().st_mtime_ns
    save_code(recipe, store)
    assert one.stat().st_mtime_ns == before  # once


def test_a_damaged_archive_is_refused(recipe, store):
    save_code(recipe, store)
    digest = fingerprint.code(recipe)["digest"]
    (file,) = (store.root / "code").glob("*.zip")
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreError, match="damaged"):
        load_code(digest, store)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("totalml/cli.py", "print('other')")
    with pytest.raises(StoreError, match="no longer holds"):
        load_code(digest, store)


def test_changes_are_told_by_file_and_line():
    old = {"totalml": {"a.py": b"one\ntwo\n", "gone.py": b"x\n"}, "recipes.old": {"b.py": b""}}
    new = {"totalml": {"a.py": b"one\n2\n", "new.py": b"y\n"}, "recipes.new": {"b.py": b""}}
    assert code_changes(old, new) == [
        FileChange("totalml/a.py", "changed", ("@@ -1,2 +1,2 @@", " one", "-two", "+2")),
        FileChange("totalml/gone.py", "removed", ("@@ -1 +0,0 @@", "-x")),
        FileChange("totalml/new.py", "added", ("@@ -0,0 +1 @@", "+y")),
    ]
    assert code_changes(old, old) == []


def test_a_commit_gives_the_code_it_held(tmp_path):
    project = new_project(tmp_path / "project")
    git(project, "init", "--quiet")
    for name in ("src/totalml/a.py", "recipes/own/source.py"):
        (project / name).parent.mkdir(parents=True)
        (project / name).write_text("committed\n")
    there = commit(project)
    (project / "src/totalml/a.py").write_text("edited\n")
    assert code_at(project, there, ["recipes.own"]) == {
        "totalml": {"a.py": b"committed\n"},
        "recipes.own": {"source.py": b"committed\n"},
    }
    assert code_at(project, "0" * 40, []) is None


def test_only_the_packages_that_the_recipe_names_count(recipe):
    photos = replace_source(recipe)
    assert current_code(photos).keys() == {"totalml"}


def replace_source(recipe):
    from totalml.data import ImageFolder

    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"source": ImageFolder(root="photos")})})
