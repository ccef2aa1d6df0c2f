"""`totalml monitor check` on tables as people have them: a verdict, or a message that says what to mend."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.monitoring.released import SIGNED, release, rows
from tests.monitoring.traffic import MODEL
from totalml.cli import main
from totalml.features.shared.frozen import Frozen
from totalml.monitoring.observations import observe
from totalml.monitoring.tables import looked_at, read_side
from totalml.store import Store


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def table(name: str, rows: int = 60, seed: int = 0, **columns: object) -> str:
    random = np.random.default_rng(seed)
    pq.write_table(pa.table({"area": random.normal(50, 10, rows), **columns}), name)
    return name


def checked(window: str, *more: str) -> int:
    return main(["monitor", "check", "--reference", table("a.parquet"), "--window", window, *more])


@pytest.mark.parametrize("column", [[None] * 60, [float("nan")] * 60])
def test_a_column_without_a_value_is_told_as_one(column, capsys):
    assert checked(table("b.parquet", area=pa.array(column, pa.float64()))) == 3
    assert "values of area are missing: 100.0% of the rows" in (told := capsys.readouterr().out)
    assert " -> none\n" in told


def test_of_too_few_rows_it_says_that_finding_nothing_says_nothing(capsys):
    assert checked(table("b.parquet", rows=2)) == 0
    assert "not enough data" in (told := capsys.readouterr().out)
    assert "nothing was found, which says nothing; the exit code is 0 all the same\n" in told
    assert "8 more rows would do.\n  2 rows against 60\n" in told
    assert checked(table("b.parquet", rows=9)) == 0
    assert "; 1 more row would do.\n" in capsys.readouterr().out
    assert checked(table("b.parquet", rows=1)) == 0
    assert "\n  1 row against 60\n" in capsys.readouterr().out
    assert checked(table("b.parquet", seed=1)) == 0
    assert "says nothing" not in capsys.readouterr().out


def test_a_table_cut_at_other_commas_says_which_columns_are_not_there(capsys):
    Path("b.csv").write_text("area:rooms\n" + "50:3\n" * 20)
    assert checked("b.csv") == 3
    assert "column area is gone; column area:rooms is new" in capsys.readouterr().out


def test_a_column_of_another_type_is_told_with_both_and_hides_nothing_else(capsys):
    reference = table("a.parquet", rooms=list(range(60)), flat=[True, False] * 30)
    window = table("b.parquet", rooms=[str(each) for each in range(60)], flat=[1, 0] * 30, area=np.full(60, 500.0))
    assert main(["monitor", "check", "--reference", reference, "--window", window]) == 3
    told = capsys.readouterr().out
    assert "column rooms is of another type (words, numbers in the reference; let it hold numbers again)" in told
    assert "column flat is of another type (numbers, true or false in the reference" in told
    assert "  area " in told
    assert "-> 500" in told


def test_what_is_gone_or_of_another_type_is_told_once_and_what_moved_beside_it_too(capsys):
    reference = table("a.parquet", income=np.arange(60.0), zip=list(range(60)), age=np.arange(60.0))
    window = table("b.parquet", zip=[str(each) for each in range(60)], age=np.arange(60.0) + 500)
    assert main(["monitor", "check", "--reference", reference, "--window", window]) == 3
    verdict, _, *moves = capsys.readouterr().out.splitlines()
    assert "column income is gone; column zip is of another type" in verdict
    assert "; age moved against the reference." in verdict
    assert {line.split()[0] for line in moves} == {"area", "age"}
    pq.write_table(pa.table({"rooms": range(60)}), "c.parquet")
    assert main(["monitor", "check", "--reference", reference, "--window", "c.parquet"]) == 3
    verdict, _, *moves = capsys.readouterr().out.splitlines()
    assert "moved" not in verdict
    assert moves == []


def test_whole_numbers_and_others_are_one_type(capsys):
    whole = pa.array([1, 2, 3] * 20)
    reference = table("a.parquet", price=whole)
    window = table("b.parquet", price=whole.cast(pa.decimal128(21, 2)))
    assert main(["monitor", "check", "--reference", reference, "--window", window]) == 0
    assert capsys.readouterr().out.startswith("none: ")


def test_a_store_that_is_named_needs_no_project_for_a_release_as_reference(folder, capsys):
    bundle = release(Store(folder / "kept"), rows(200), {})
    pq.write_table(rows(100, 1).drop_columns("label"), "b.parquet")
    asked = ["monitor", "check", "--reference", f"{MODEL}@production", "--window", "b.parquet"]
    assert main(asked) == 2
    assert "is in no project" in capsys.readouterr().err
    assert main([*asked, "--store", "kept"]) == 0
    by_hash = ["monitor", "check", "--reference", bundle.hash, "--window", "b.parquet"]
    assert main([*by_hash, "--store", "kept"]) == 0
    assert main(by_hash) == 2


def test_what_callers_may_leave_out_is_not_missed_and_what_the_model_sees_is(folder, capsys):
    release(Store(folder / "kept"), rows(200), {})
    asked = ["monitor", "check", "--reference", f"{MODEL}@production", "--window", "b.parquet", "--store", "kept"]
    window = rows(100, 1).drop_columns("label")
    empty = pa.nulls(len(window), pa.string())
    for without in (window.drop_columns("metadata:uploader"), window.set_column(5, "metadata:uploader", empty)):
        pq.write_table(without, "b.parquet")
        assert main(asked) == 0
        assert (
            "not looked at, as the window lacks what callers may leave out: metadata:uploader"
            in capsys.readouterr().out
        )
    pq.write_table(window.drop_columns("metadata:age"), "b.parquet")
    assert main(asked) == 3
    assert "age is gone" in capsys.readouterr().out


def test_columns_of_which_the_release_makes_what_its_model_sees_are_no_news(folder, capsys):
    spent = Frozen("team/spend", ("age",), ("spend",), ("shop",), {}, None, 0)
    release(Store(folder / "kept"), rows(200), {}, signature=replace(SIGNED, shared=(spent,)))
    asked = ["monitor", "check", "--reference", f"{MODEL}@production", "--window", "b.parquet", "--store", "kept"]
    window = rows(100, 1).drop_columns("label")
    given = {"timestamp": ["2026-03-02"] * 100, "shop": ["north"] * 100, "spend": [1.0] * 100}
    for name, column in given.items():
        window = window.append_column(f"metadata:{name}", [column])
    pq.write_table(window, "b.parquet")
    assert main(asked) == 0
    pq.write_table(window.append_column("metadata:price", [[1.0] * 100]), "b.parquet")
    assert main(asked) == 3
    assert "column price is new (numbers)" in (told := capsys.readouterr().out)
    assert "series" not in told


def test_of_a_model_of_series_it_says_that_it_knows_no_seasons(folder, capsys):
    release(Store(folder / "kept"), rows(200), {}, periods=pa.table({"period": [1]}))
    pq.write_table(rows(100, 1).drop_columns("label"), "b.parquet")
    asked = ["monitor", "check", "--reference", f"{MODEL}@production", "--window", "b.parquet", "--store", "kept"]
    assert main(asked) == 0
    assert "the model is of series, and this knows of no periods or seasons" in capsys.readouterr().out


def test_of_two_tables_no_labels_are_spoken_of(capsys):
    assert checked(table("b.parquet", area=np.random.default_rng(5).normal(60, 6, 60).clip(30, 70))) == 3
    told = capsys.readouterr().out
    assert told.startswith("unknown: Inputs moved: area moved against the reference.")
    assert "label" not in told


def test_columns_of_one_name_are_refused(capsys):
    twice = pa.Table.from_arrays([pa.array([1.0] * 20)] * 2, names=["area", "area"])
    pq.write_table(twice, "b.parquet")
    assert checked("b.parquet") == 4
    expected = "window 'b.parquet' has several columns named ['area']; rename or remove all but one\n"
    assert capsys.readouterr().err == expected


def test_lists_cannot_say_whose_samples_come_together(capsys):
    assert checked(table("b.parquet", who=[[1]] * 60), "--unit", "who") == 4
    assert capsys.readouterr().err.startswith("there is no column 'who' whose samples come together")
    both = table("b.parquet", who=[[1]] * 60)
    assert main(["monitor", "check", "--reference", both, "--window", both, "--unit", "who"]) == 4
    assert capsys.readouterr().err.startswith("column 'who' holds list<element: int64>, which cannot say")


def test_a_level_that_nobody_would_wait_for_is_refused(capsys):
    assert checked(table("b.parquet", seed=1), "--level", "1e-7") == 2
    expected = "command line: --level 1e-07 is a chance, from 0.0001 to less than 1\n"
    assert capsys.readouterr().err == expected


def test_what_is_wrong_with_both_tables_is_told_at_once(capsys):
    Path("empty.csv").write_text("")
    assert main(["monitor", "check", "--reference", "nowhere.csv", "--window", "empty.csv"]) == 4
    told = capsys.readouterr().err
    assert "reference 'nowhere.csv' does not exist" in told
    assert "empty.csv is empty" in told


def test_samples_of_a_log_come_together_by_the_short_name_of_their_column(capsys):
    for name, mean in (("known.parquet", 50), ("dearer.parquet", 70)):
        prices = np.random.default_rng(mean).normal(mean, 10, 200)
        uploaders = [f"u{each // 4}" for each in range(200)]
        pq.write_table(pa.table({"metadata:price": prices, "metadata:uploader": uploaders}), name)
    asked = ["--reference", "known.parquet", "--window", "dearer.parquet", "--unit", "uploader"]
    assert main(["monitor", "check", *asked]) == 3
    assert "price moved against the reference" in capsys.readouterr().out


def test_a_lever_that_is_switched_off_is_a_new_input_and_any_other_number_a_feed_that_is_lost(capsys):
    spend = np.random.default_rng(3).gamma(9, 10, 60)
    reference = table("a.parquet", spend=spend)
    asked = ["monitor", "check", "--reference", reference, "--window", table("b.parquet", seed=1, spend=np.zeros(60))]
    assert main(asked) == 3
    assert capsys.readouterr().out.startswith("data quality: ")
    assert main([*asked, "--lever", "spend"]) == 3
    assert capsys.readouterr().out.startswith("unknown: Inputs moved: ")


def test_levers_that_are_no_numbers_of_the_reference_are_all_named_with_what_was_meant(capsys):
    reference = table("a.parquet", spend=np.arange(60.0), city=["x", "y"] * 30)
    asked = ["monitor", "check", "--reference", reference, "--window", reference]
    assert main([*asked, "--lever", "spent", "--lever", "city"]) == 4
    told = capsys.readouterr().err
    assert "no column of numbers 'spent', did you mean 'spend'?" in told
    assert "no column of numbers 'city'" in told
    assert "the reference has: area, spend" in told


def predicted(name: str, rows: int = 40, **columns: object) -> str:
    random = np.random.default_rng(1)
    told = {
        "id": [f"{row}" for row in range(rows)],
        "release": ["one"] * rows,
        "answer:price": random.normal(size=rows),
    }
    pq.write_table(pa.table(told | columns), name, row_group_size=16)
    return name


def test_columns_that_nothing_is_asked_of_are_not_read():
    names = ["id", "release", "input", "embedding", "answer:price", "metadata:pub", "time", "who", "attribution:middle"]
    compared = ["embedding", "answer:price", "metadata:pub", "time", "attribution:middle"]
    assert looked_at(names, None, compared) == compared
    assert looked_at(names, "who") == ["input", "embedding", "answer:price", "metadata:pub", "time", "who", names[-1]]
    assert looked_at(["id", "area"], None) == ["id", "area"]


@pytest.mark.parametrize("kind", [pa.list_(pa.float32(), 3), pa.list_(pa.float32()), pa.list_(pa.float64(), 3)])
def test_embeddings_are_the_same_in_whatever_pieces_and_types_they_come(kind):
    numbers = np.random.default_rng(2).normal(size=(40, 3)).astype(np.float32)
    whole = pa.array(numbers.tolist(), kind)
    name = predicted("e.parquet", embedding=whole)
    pieces = pa.table({"embedding": pa.chunked_array([whole[:7], whole[7:]])})
    read = read_side(name, "window", lambda: pytest.fail("no store is asked"), list)
    assert read.column_names == pq.read_schema(name).names
    assert read["embedding"].num_chunks == 1
    for table in (read, pieces):
        assert np.array_equal(observe(table).embeddings, numbers)
