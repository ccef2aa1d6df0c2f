import sys
from importlib import import_module

import pytest


@pytest.fixture
def room(tmp_path, monkeypatch):
    """A package that exports `door`, which stands in a module of it."""
    folder = tmp_path / "lazy_room"
    folder.mkdir()
    (folder / "house.py").write_text("door = 'oak'\n")
    (folder / "__init__.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from totalml.lazy import lazy_exports\n"
        "if TYPE_CHECKING:\n"
        "    from lazy_room.house import door\n"
        "__getattr__ = lazy_exports(__name__)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield import_module("lazy_room")
    for name in [name for name in sys.modules if name.startswith("lazy_room")]:
        del sys.modules[name]


def test_an_export_is_imported_when_it_is_asked_for(room):
    assert "lazy_room.house" not in sys.modules
    assert room.door == "oak"
    assert "lazy_room.house" in sys.modules


def test_what_is_not_exported_is_an_attribute_error(room):
    with pytest.raises(AttributeError, match="module 'lazy_room' has no attribute 'window'"):
        _ = room.window
