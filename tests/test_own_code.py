"""Whatever Python a recipe's components reach counts as the code of the run, wherever in the project it lies."""

import os
import sys
import time
from pathlib import Path

import pytest

import recipes
from tests.features.drawn import save_photos
from totalml import fingerprint
from totalml.component import Component
from totalml.data import ImageFolder, remembered_hash, take_snapshot
from totalml.kinds import Source
from totalml.own_code import imported_sources, own_sources, python_files
from totalml.recipe import DataRecipe
from totalml.store import Store


def write(project: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)


@pytest.mark.parametrize(
    ("statement", "place", "package"),
    [
        ("from recipes.other.parts import Part", "recipes/other/parts.py", "recipes.other"),
        ("from recipes import (\n    json_like,\n    other,\n)", "recipes/other/__init__.py", "recipes.other"),
        ("import json, recipes.other.parts as parts", "recipes/other/parts.py", "recipes.other"),
        ("from ..other import Part", "recipes/other/__init__.py", "recipes.other"),
        ("from .. import other", "recipes/other.py", "recipes.other"),
        ("from recipes.other import \\\n    Part", "recipes/other.py", "recipes.other"),
        ("def late():\n    import helpers", "helpers.py", "helpers"),
        ("from tools.draw import line", "tools/draw.py", "tools"),
        ('importlib.import_module("recipes.other.parts")', "recipes/other/parts.py", "recipes.other"),
    ],
)
def test_what_is_imported_from_elsewhere_in_the_project_counts(tmp_path, statement, place, package):
    write(tmp_path, {"recipes/own/source.py": f"{statement}\n", place: "x = 1\n", "recipes/unused/a.py": ""})
    found = imported_sources(tmp_path, ["recipes.own"])
    assert found.keys() == {"recipes.own", package}
    assert b"x = 1\n" in found[package].values()


def test_a_base_class_two_packages_away_counts(tmp_path):
    chain = {"a": "from recipes.b import B", "b": "from recipes.c import C", "c": "import recipes.a"}
    write(tmp_path, {f"recipes/{name}/__init__.py": text for name, text in chain.items()})
    assert imported_sources(tmp_path, ["recipes.a"]).keys() == {"recipes.a", "recipes.b", "recipes.c"}


@pytest.mark.parametrize("age_s", [0, 60])
def test_a_file_that_changed_is_read_again_however_old_it_says_it_is(tmp_path, age_s):
    file = tmp_path / "own" / "a.py"
    for text in ("x = 1\n", "x = 2\n"):
        write(tmp_path, {"own/a.py": text})
        then = time.time() - age_s
        os.utime(file, (then, then))
        assert python_files(tmp_path / "own") == {"a.py": text.encode()}
        assert python_files(tmp_path / "own") == {"a.py": text.encode()}


def test_a_file_that_nobody_touched_is_read_once(tmp_path, monkeypatch):
    write(tmp_path, {"own/a.py": "x = 1\n"})
    monkeypatch.setattr("totalml.own_code.is_settled", lambda *_: True)
    assert python_files(tmp_path / "own") == {"a.py": b"x = 1\n"}
    monkeypatch.setattr("builtins.open", pytest.fail)
    assert python_files(tmp_path / "own") == {"a.py": b"x = 1\n"}


def test_a_module_beside_the_recipes_stands_for_itself(tmp_path):
    write(tmp_path, {"recipes/one.py": "from .two import x\n", "recipes/two.py": "x = 1\n", "recipes/three.py": ""})
    assert imported_sources(tmp_path, ["recipes.one"]) == {
        "recipes.one": {"__init__.py": b"from .two import x\n"},
        "recipes.two": {"__init__.py": b"x = 1\n"},
    }


@pytest.mark.parametrize("name", ["", "recipes./etc", "recipes..", "..", "*"])
def test_no_name_leads_out_of_the_project(tmp_path, name):
    write(tmp_path, {"a.py": "", "project/b.py": "", "project/recipes/own/c.py": ""})
    assert imported_sources(tmp_path / "project", [name]) == {}


@pytest.fixture
def own(tmp_path, monkeypatch) -> Path:
    """The folder of the package `recipes.own`, as a new process would find it."""
    monkeypatch.setattr(recipes, "__path__", [str(tmp_path / "recipes"), *recipes.__path__])
    yield tmp_path / "recipes" / "own"
    forget()


def forget() -> None:
    """As a new process."""
    fingerprint._SEEN.clear()
    for name in [name for name in sys.modules if name.startswith("recipes.own")]:
        del sys.modules[name]


def test_an_edit_while_a_process_lives_does_not_rename_what_it_executes(own):
    value = {"_target_": "recipes.own.source.Source"}
    write(own, {"source.py": "x = 1\n"})

    class Named(Component):
        @classmethod
        def public_path(cls) -> str:
            return value["_target_"]

    before = fingerprint.code_of(Named(), ())
    write(own, {"source.py": "x = 2\n"})
    assert own_sources(value) == {"recipes.own": {"source.py": b"x = 2\n"}}
    assert fingerprint.code_of(Named(), ()) == before
    forget()
    assert fingerprint.code_of(Named(), ()) != before


class Forgetful(Source):
    """Says that nothing has changed, whatever the file says."""

    root: str

    def fingerprint(self) -> str:
        return "always the same"

    def files(self) -> list[Path]:
        return [Path(self.root) / "labels.txt"]

    def samples(self):
        wanted = self.files()[0].read_text().split()
        yield from (sample for sample in ImageFolder(root=self.root).samples() if Path(sample.id).parts[0] in wanted)


def test_a_source_is_looked_at_again_if_a_file_that_it_names_changed(tmp_path):
    save_photos(tmp_path / "photos", range(4), "good")
    save_photos(tmp_path / "photos", range(4, 8), "bad")
    store, data = Store(tmp_path / "store"), DataRecipe(source=Forgetful(root=str(tmp_path / "photos")))
    write(tmp_path / "photos", {"labels.txt": "good"})
    assert take_snapshot(data, store).samples.num_rows == 4
    assert remembered_hash(data, store) is not None
    write(tmp_path / "photos", {"labels.txt": "good bad"})
    assert remembered_hash(data, store) is None
    assert take_snapshot(data, store).samples.num_rows == 8
