"""The queries of the documentation, on a log of two releases whose columns and embeddings differ."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from tests.prediction_log.logged import REPLICAS, Writer, rows
from totalml.store import Store

PAGE = (Path(__file__).parents[2] / "docs" / "serving.md").read_text("utf-8")


@pytest.fixture(autouse=True)
def log(tmp_path, monkeypatch):
    """Of the model that the page speaks of, with the columns that each log has."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tests.prediction_log.logged.MODEL", "guinness")
    given = lambda some, *more: rows(some, *more).append_column("seconds", pa.array([0.5] * len(some)))  # noqa: E731
    monkeypatch.setattr("tests.prediction_log.logged.rows", given)
    writer = Writer(Store(tmp_path / ".totalml"), REPLICAS[0])
    writer.write(["a", "b"])
    writer.write(["c"], release=1)


def test_the_query_without_totalml_gives_all_rows(capsys):
    (code,) = re.findall(r'^python -c "(import pyarrow.+)"$', PAGE, re.MULTILINE)
    exec(code, {})
    assert "[3 rows x 4 columns]" in capsys.readouterr().out


def test_the_reader_gives_all_rows():
    (code,) = [block for block in re.findall(r"^```python\n(.+?)^```", PAGE, re.M | re.S) if "reader.new" in block]
    names: dict[str, object] = {}
    exec(code, names)
    assert sorted(names["table"]["input"].to_pylist()) == ["a", "b", "c"]
