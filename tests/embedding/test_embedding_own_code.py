"""A frozen backbone of a recipe's own: an edit of its code, or of a file that it reads, makes other embeddings."""

import importlib
import sys

import numpy as np
import pytest

import recipes
from tests.embedding.frozen_recipe import frozen
from totalml import fingerprint
from totalml.embedding import start
from totalml.training import embed_features as embed

BACKBONE = """\
from pathlib import Path

from recipes.brought_parts.squash import squash
from totalml.kinds import ImageBackbone


class Squashed(ImageBackbone):
    note: str

    def files(self):
        return [Path(self.note)]

    def build(self, channels):
        from torch import nn

        class Module(nn.Module):
            def forward(_, images):
                return squash(images.mean((2, 3))) + float(Path(self.note).read_text())

        return Module(), channels
"""
SQUASH = "def squash(x):\n    return x.tanh()\n"


@pytest.fixture
def embedded(tmp_path, monkeypatch, features, store):
    """The embeddings that a new process comes to."""
    folder = tmp_path / "recipes"
    for name, text in {"brought/backbone.py": BACKBONE, "brought_parts/squash.py": SQUASH}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    (tmp_path / "note.txt").write_text("0")
    monkeypatch.setattr(recipes, "__path__", [str(folder), *recipes.__path__])
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def go() -> np.ndarray:
        forget()
        backbone = importlib.import_module("recipes.brought.backbone").Squashed(note=str(tmp_path / "note.txt"))
        return embed(frozen(backbone), features, store).embeddings.gather(np.arange(len(features)))

    yield go
    forget()


def forget() -> None:
    fingerprint._SEEN.clear()
    start._built.cache_clear()
    for name in [name for name in sys.modules if name.startswith("recipes.brought")]:
        del sys.modules[name]


def test_an_edit_of_what_the_backbone_imports_makes_other_embeddings(tmp_path, embedded):
    before = embedded()
    assert np.array_equal(embedded(), before)
    (tmp_path / "recipes" / "brought_parts" / "squash.py").write_text("def squash(x):\n    return x.tanh() * 2\n")
    assert np.allclose(embedded(), before * 2)


def test_an_edit_of_a_file_that_the_backbone_reads_makes_other_embeddings(tmp_path, embedded):
    before = embedded()
    (tmp_path / "note.txt").write_text("1")
    assert np.allclose(embedded(), before + 1)
