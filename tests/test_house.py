"""The house as a whole: imports point one way, those that only the type checker reads included."""

import ast
import tomllib
from pathlib import Path

import pytest

import totalml

HOME = Path(totalml.__file__).parent
REPOSITORY = Path(__file__).parents[1]

Imports = dict[str, set[str]]


@pytest.mark.parametrize("home", [HOME, REPOSITORY / "recipes"], ids=["totalml", "recipes"])
def test_no_file_imports_itself_through_others(home):
    assert in_circles(imports_of(files_below(home))) == []


def test_a_circle_is_seen_with_all_its_files_and_no_other():
    texts = {
        "a": "import b",
        "b": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from c import C",
        "c": "def late():\n    from a import d",
        "a.d": "import b",
        "above": "import a",
        "below": "",
    }
    assert in_circles(imports_of(texts)) == ["a.d", "b", "c"]


def test_every_room_has_its_layer():
    rooms = {path.stem for path in HOME.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set().union(*layers()) == {*rooms, "recipes"} - {"__init__"}


def test_the_house_is_drawn_as_the_contract_has_it():
    text = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = text.partition("## Directions")[2].split("```")[1].split("\n")
    assert [{*layer.split(" | ")} for line in drawing if line for layer in line.split(", ")] == layers()


def layers() -> list[set[str]]:
    """From the top; each of rooms beside each other."""
    contracts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (found,) = (each["layers"] for each in contracts if each["type"] == "layers")
    return [{name.removeprefix("totalml.") for name in layer.split(" | ")} for layer in found]


def files_below(home: Path) -> dict[str, str]:
    """Dotted name -> text."""
    names = {file: [home.name, *file.relative_to(home).with_suffix("").parts] for file in home.rglob("*.py")}
    return {".".join(parts).removesuffix(".__init__"): file.read_text() for file, parts in names.items()}


def imports_of(texts: dict[str, str]) -> Imports:
    return {name: {*imported(text, texts)} & texts.keys() for name, text in texts.items()}


def imported(text: str, known: dict[str, str]) -> list[str]:
    """Wherever in the file: at its top, in a function, for the type checker."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            below = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [name if name in known else str(node.module) for name in below]
    return found


def in_circles(imports: Imports) -> list[str]:
    """What is left when the files that import none of the rest, and those that none of the rest imports, are gone."""
    left = {*imports}
    while ends := {name for name in left if not (imports[name] & left and any(name in imports[by] for by in left))}:
        left -= ends
    return sorted(left)
