"""A text means what OmegaConf reads in it, though another parser reads it here."""

import pytest
from omegaconf import OmegaConf

from totalml.compose.config_file import read_config
from totalml.errors import RecipeError

INTEGERS = "1 -1 +1 017 0o17 0x1f 0b1 1_000 1:30 190:20:30"
FLOATS = "1.0 .5 0. 1e3 1e-3 12e03 1.5e+3 1:30.5 .inf -.Inf .nan"
WORDS = "yes No on OFF y true null ~ Null 2020-01-01 2020-01-01T00:00:00Z"
SIGNS = """a:b a#b = - 'single' "d\\u00e9" é ??? ${seed}"""
SCALARS = f"{INTEGERS} {FLOATS} {WORDS} {SIGNS}".split()
SHAPES = ["key: {}", "- key: {}\n- 1", "{}: 1", "key:\n  - {0}\n  - {0}", "key: |\n  {}\n", "key: >-\n  {0}\n\n  {0}\n"]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_scalar_means_the_same_to_omegaconf(shape, tmp_path):
    alike = 0
    for scalar in SCALARS:
        text = f"list:\n{indented(shape.format(scalar))}"
        try:
            meant = OmegaConf.create(text)
        except Exception:  # both refuse it; what is said then is for other tests
            with pytest.raises(RecipeError):
                read(text, tmp_path)
            continue
        assert repr(OmegaConf.to_container(read(text, tmp_path))) == repr(OmegaConf.to_container(meant)), text
        alike += 1
    assert alike > len(SCALARS) / 2


@pytest.mark.parametrize("text", ["", "# nothing", "null", "word"])
def test_a_file_without_a_mapping_means_the_same_to_omegaconf(text, tmp_path):
    assert read(text, tmp_path) == OmegaConf.create(text or "{}")


def test_a_key_that_stands_twice_is_refused_at_its_line(tmp_path):
    with pytest.raises(RecipeError, match=r"^wrong\.yaml:3: not valid YAML: found duplicate key seed$"):
        read("name: wrong\nseed: 1\nseed: 2\n", tmp_path)


def read(text, folder):
    file = folder / "wrong.yaml"
    file.write_text(text, encoding="utf-8")
    return read_config(file, "wrong.yaml")


def indented(text):
    return "".join(f"  {line}\n" for line in text.splitlines())
