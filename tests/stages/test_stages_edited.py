"""A process that lives on executes what it imported: an edit meanwhile must not pass for what made the results."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from totalml import fingerprint, own_code
from totalml.identity import short
from totalml.kinds import Check
from totalml.quality.report import Finding
from totalml.recipe import QualityRecipe
from totalml.runner import run


class Editor:
    """Somebody who saves a file of the recipe's code, and may take it back."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._edited, read = False, own_code.python_files
        patch.setattr(own_code, "python_files", lambda place: self._seen(place, read(place)))

    def edit(self) -> None:
        self._edited = True

    def take_back(self) -> None:
        self._edited = False

    def _seen(self, place: Path, files: dict[str, bytes]) -> dict[str, bytes]:
        return files | ({"new.py": b"x = 1\n"} if self._edited and place.name == "guinness" else {})


@pytest.fixture
def editor(monkeypatch) -> Iterator[Editor]:
    yield Editor(monkeypatch)
    fingerprint._SEEN.clear()


def test_what_ran_while_its_code_was_edited_is_told_and_never_reused(project, editor):
    old = project.go("seed=11")
    editor.edit()
    facts = project.go("seed=12")  # by the code that this process has imported
    assert facts["code"] == old["code"]
    assert facts["tainted"] == "source code changed while the run was under way"
    kept = [folder.name for folder in project.kept("training")]
    assert short(old["stages"]["training"]["key"], 32) in kept
    assert short(facts["stages"]["training"]["key"], 32) not in kept

    fingerprint._SEEN.clear()  # a new process, by the new code
    new = project.go("seed=12")
    assert new["code"] != old["code"]
    assert (new["attempt"], new["tainted"], new["stages"]["training"]["reused"]) == (2, None, False)

    editor.take_back()
    fingerprint._SEEN.clear()  # and by the old code again
    again = project.go("seed=12")
    assert (again["attempt"], again["tainted"], again["stages"]["training"]["reused"]) == (3, None, False)


class Listed(Check):
    """Finds what a file says."""

    file: str

    @classmethod
    def public_path(cls) -> str:
        return "totalml.quality.ClassBalance"

    def files(self) -> list[Path]:
        return [Path(self.file)]

    def findings(self, snapshot, splits):
        yield Finding("Listed", "warn", Path(self.file).read_text())


def test_a_check_is_asked_again_if_a_file_that_it_reads_changed(project, tmp_path):
    (tmp_path / "list.txt").write_text("first")
    quality = QualityRecipe(checks=(Listed(file=str(tmp_path / "list.txt")),))
    recipe = project.recipe("seed=13").model_copy(update={"quality": quality})
    found = []
    for text in ("first", "second"):
        (tmp_path / "list.txt").write_text(text)
        found.append(json.loads((run(recipe) / "quality.json").read_text())["findings"][0]["message"])
    assert found == ["first", "second"]
