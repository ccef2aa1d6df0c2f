"""The command keeps the labels of a table, or none and says which rows are wrong."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.serving.serving import PICTURE, TABLE, picture, promote, release, serving
from totalml.cli import main
from totalml.evaluation.record import record_of
from totalml.labels import Labels, truth_of
from totalml.store import Store

HEADER = "request_id,id,label\n"
NUMBERS = replace(TABLE, task="regression", targets=("price", "area"), answers={})
TAGS = replace(TABLE, task="multilabel", targets=("thin", "tall"), answers={})


@pytest.fixture(autouse=True)
def in_a_project(tmp_path, monkeypatch):
    (tmp_path / "conf").mkdir()
    (tmp_path / "recipes").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])


def promoted(tmp_path, signature=PICTURE):
    store = Store(tmp_path / ".totalml")
    promote(store, release(store, 0.5, signature))
    return store


def kept(store, signature=PICTURE):
    rows = Labels(store, "pints", truth_of(signature)).read().to_pylist()
    return [[value for name, value in row.items() if name not in ("time", "who")] for row in rows]


def written(tmp_path, text, name="labels.csv"):
    (tmp_path / name).write_text(text)
    return name


def test_labels_are_kept_once_and_those_of_known_predictions_counted(tmp_path, capsys):
    store = promoted(tmp_path)
    with serving(tmp_path / ".totalml", logs=True) as running:
        asked = [
            running.client.post("/predict", files=[("a", (f"{name}.png", picture(), "image/png")) for name in "ab"])
            for _ in range(2)
        ]
    first, second = (answer.json()["request_id"] for answer in asked)
    (tmp_path / ".totalml" / "predictions" / "pints" / "2026-01-01.parquet").write_bytes(b"damaged")
    text = f"{HEADER}{first},a.png,dark\n{first},c.png,dark\n{second},,light\n007,,light\n{second},b.png,\n"
    assert main(["feedback", "pints", written(tmp_path, text)]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "4 labels of pints are kept",
        f"  2 belong to predictions that the log holds, 2 to none that it holds: {first} (id c.png), 007",
        "  1 file of the log could not be read",
        "  left out: 1 row without a label",
    ]
    expected = [[first, "a.png", "dark"], [first, "c.png", "dark"], [second, None, "light"], ["007", None, "light"]]
    assert kept(store) == expected
    assert main(["feedback", "pints@production", written(tmp_path, text, "copy.csv")]) == 0
    assert "4 labels of pints were kept before; the same file adds nothing" in capsys.readouterr().out
    assert len([*tmp_path.glob(".totalml/labels/pints/*/*.parquet")]) == 1
    written(tmp_path, f"{HEADER}007,,dark\n", "copy.csv")
    assert main(["feedback", "pints", "copy.csv"]) == 0
    assert [*kept(store)][-1] == ["007", None, "dark"]


def test_of_many_labels_of_no_prediction_the_first_few_are_named(tmp_path, capsys):
    promoted(tmp_path)
    text = HEADER + "".join(f"r{number},,dark\n" for number in range(9))
    assert main(["feedback", "pints", written(tmp_path, text)]) == 0
    told = capsys.readouterr().out.splitlines()[1]
    assert told == "  0 belong to predictions that the log holds, 9 to none that it holds, such as r0, r1, r2"


def test_columns_can_have_other_names(tmp_path):
    store = promoted(tmp_path)
    file = written(tmp_path, "asked;verdict;label\nr;dark;ignored\n")
    words = ["--column", "request_id=asked", "--column", "label=verdict"]
    assert main(["feedback", "pints", file, *words]) == 0
    assert kept(store) == [["r", None, "dark"]]


@pytest.mark.parametrize("name", ["sold.csv", "sold.jsonl", "sold.parquet"])
def test_numbers_and_several_labels_are_read_from_every_kind_of_table(tmp_path, name):
    numbers = [{"request_id": "1", "price": 3.5, "area": None}, {"request_id": "2", "price": -1.0, "area": 80.0}]
    store = promoted(tmp_path, NUMBERS)
    save(tmp_path / name, numbers)
    assert main(["feedback", "pints", name]) == 0
    assert kept(store, NUMBERS) == [["1", None, 3.5, None], ["2", None, -1.0, 80.0]]
    promote(store, release(store, 0.25, TAGS), "tags")
    some = [{"request_id": "1", "labels": ["tall", "thin"]}, {"request_id": "2", "labels": ["tall"]}]
    none = [] if name.endswith("csv") else [{"request_id": "3", "labels": []}]
    save(tmp_path / f"tags-{name}", [*some, *none, {"request_id": "4", "labels": None}])
    assert main(["feedback", "pints@tags", f"tags-{name}"]) == 0
    assert kept(store, TAGS) == [["1", None, ["thin", "tall"]], ["2", None, ["tall"]], *[["3", None, []] for _ in none]]


def save(file, rows):
    if file.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    elif file.suffix == ".jsonl":
        file.write_text("\n".join(map(json.dumps, rows)))
    else:
        cells = [["" if value is None else value for value in row.values()] for row in rows]
        cells = [[";".join(cell) if isinstance(cell, list) else str(cell) for cell in row] for row in cells]
        file.write_text("\n".join(",".join(row) for row in [[*rows[0]], *cells]))


@pytest.mark.parametrize(
    ("name", "text", "words", "code", "told"),
    [
        (
            "l.csv",
            f"{HEADER}r,,drak\n,,dark\n",
            (),
            4,
            ['row 1: "drak" is no class', "row 2: request_id is missing"],
        ),
        ("l.csv", f"{HEADER}r,,\n", (), 4, ["no row of l.csv has a label; fill the column label"]),
        ("l.csv", "request_id,verdict\nr,dark\n", (), 4, ["has no column 'label'; it has ['request_id', 'verdict']"]),
        ("l.csv", "", (), 4, ["is empty"]),
        ("l.jsonl", '{"request_id": "r", "label": ["dark"]}\n', (), 4, ['row 1: ["dark"] is no class']),
        ("l.jsonl", '{"request_id": 7, "label": "dark"}\n', (), 4, ["row 1: request_id wants a text"]),
        ("l.jsonl", '{"request_id": "r", "label": "dark"}\n{"re', (), 4, ["line 2 of l.jsonl is no JSON"]),
        ("l.jsonl", "[]\n", (), 4, ["line 1 of l.jsonl is no JSON object: []"]),
        ("l.parquet", "PAR1", (), 4, ["l.parquet cannot be read"]),
        ("l.xlsx", "x", (), 4, ["'l.xlsx' must end in .csv, .csv.gz,"]),
        ("l.csv", HEADER, ("--column=labels=x", "--column=x"), 2, ["did you mean 'label'?", "x wants OURS=THEIRS"]),
    ],
)
def test_what_cannot_be_kept_is_explained_and_nothing_is(tmp_path, capsys, name, text, words, code, told):
    promoted(tmp_path)
    written(tmp_path, text, name)
    assert main(["feedback", "pints", name, *words]) == code
    said = capsys.readouterr().err
    assert all(each in said for each in told), said
    assert not (tmp_path / ".totalml" / "labels").exists()


def test_an_unknown_model_file_or_alias_is_told(tmp_path, capsys):
    promoted(tmp_path)
    for words, code in ((["pint", "l.csv"], 2), (["pints@prod", "l.csv"], 2), (["pints", "l.csv"], 4)):
        assert main(["feedback", *words]) == code
    said = capsys.readouterr().err
    for told in ("did you mean 'pints'?", "there are pints@production", "the table 'l.csv' does not exist"):
        assert told in said


def test_every_task_says_what_a_label_is():
    from totalml.evaluation.record import RECORDS

    for task in RECORDS:
        assert record_of(task).truth(("a", "b")).columns
