"""A user's own table gives the columns of the example, or every mistake of it at once."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recipes.marketing.source import MarketSource
from recipes.marketing.table import SpendTable
from totalml.data import take_snapshot
from totalml.data.sample import Sample
from totalml.errors import SnapshotError
from totalml.recipe import DataRecipe
from totalml.store import Store

CALENDAR = ("st_patrick", "bank_holidays", "day_of_year", "trend")
HEADER = "date,region,sales,spend_tv\n"


def read(path: Path, text: str, **arguments: object) -> list[Sample]:
    path.write_text(text, encoding="utf-8")
    return [*SpendTable(table=str(path), **arguments).samples()]


def mistakes_of(path: Path, text: str) -> list[str]:
    with pytest.raises(SnapshotError) as told:
        read(path, text)
    first, *others = str(told.value).split("\n  ")
    assert str(path) in first
    return others or [first]


@pytest.mark.parametrize("every", ["week", "day"])
def test_the_example_written_as_a_table_gives_the_same_rows(tmp_path: Path, every: str):
    written = [*MarketSource(regions=2, years=1, every=every).samples()]
    with (tmp_path / "market.csv").open("w", newline="") as file:
        names = [name for name in written[0].metadata if name not in CALENDAR]
        table = csv.DictWriter(file, ["date", *names], extrasaction="ignore")
        table.writeheader()
        table.writerows({"date": each.timestamp.date().isoformat(), **each.metadata} for each in written)
    again = [*SpendTable(table=str(tmp_path / "market.csv")).samples()]
    assert [(row.id, row.timestamp, row.metadata) for row in again] == [
        (row.id, row.timestamp, row.metadata) for row in written
    ]


def test_a_small_table_of_weeks_is_enough(tmp_path: Path):
    text = HEADER + "2023-03-06,north,900,10\n2023-03-13,north,1500,20.5\n2023-03-06,south,700,0\n"
    rows = read(tmp_path / "t.csv", text)
    assert [row.id for row in rows] == ["north/2023-03-06", "north/2023-03-13", "south/2023-03-06"]
    assert rows[1].timestamp == datetime(2023, 3, 13, tzinfo=UTC)
    known = rows[1].metadata
    assert (known["region"], known["sales"], known["spend_tv"]) == ("north", 1500, 20.5)
    assert (known["st_patrick"], known["bank_holidays"], known["trend"]) == (5, 1, pytest.approx(7 / 365.25))
    assert (known["price"], known["temperature"], known["football"], known["size"]) == (1, 0, 0, 1)


def test_what_the_table_knows_itself_is_taken_and_passed_on(tmp_path: Path):
    text = "date;region;sales;spend_tv;bank_holidays;price;shop\n"
    text += "2023-03-06;north;900;10,5;3;4,2;corner\n2023-03-07;north;900;10,0;0;4,1;corner\n"
    first, second = (row.metadata for row in read(tmp_path / "t.csv", text))
    assert (first["bank_holidays"], first["price"], first["spend_tv"], first["shop"]) == (3, 4.2, 10.5, "corner")
    assert (second["bank_holidays"], second["day_of_year"]) == (0, 66.5)  # of a day, as they are a day apart


def test_another_country_has_its_own_holidays(tmp_path: Path):
    pytest.importorskip("holidays")
    text = HEADER + "2023-07-03,west,900,10\n2023-07-04,west,900,20\n"
    assert [row.metadata["bank_holidays"] for row in read(tmp_path / "t.csv", text, country="US")] == [0, 1]


def test_every_mistake_is_told_at_once_with_its_line_and_column(tmp_path: Path):
    rows = [
        "2023-03-06,north,900,10",
        "2023-03-13,north,many,20",  # no number
        "2023-03-13,north,900,20",  # twice
        "2023-03-27,north,900,-3",  # negative, and the week before is missing
        "2023-03-06,,900,20",  # no region
        "06.03.2023,south,900,20",  # no day
        "2023-03-13,south,,20",  # empty
        "2023-03-21,west,900,inf",  # a Tuesday, and no number
        "2023-03-13,west,900,20",
    ]
    assert mistakes_of(tmp_path / "t.csv", HEADER + "\n".join(rows)) == [
        "region 'north' has no week of 2023-03-20; add each, with 0 only where nothing was sold or spent; where "
        "that is not known, keep the rows of the region after it, or those before it, alone",
        "line 3, column 'sales': 'many' is no number; expected a number of at least 0",
        "line 4: 'north' on 2023-03-13 is there twice; keep it or line 3",
        "line 5, column 'spend_tv': -3 is too little; expected a number of at least 0",
        "line 6, column 'region': it is empty; expected the name of a region",
        "line 7, column 'date': '06.03.2023' is no day; write 2023-03-06",
        "line 8, column 'sales': it is empty or n/a; expected a number of at least 0, 0 where there was nothing",
        "line 9, column 'spend_tv': 'inf' is no number; expected a number of at least 0",
        "line 9, column 'date': 2023-03-21 is a Tuesday; other weeks begin on a Monday",
    ]


def test_a_region_whose_week_is_not_known_is_read_of_what_comes_after_or_before_it(tmp_path: Path):
    weeks = {day: f"2023-03-{day:02},north,900,10\n" for day in (6, 13, 27)}
    south = "2023-03-06,south,1,1\n2023-03-13,south,1,1\n2023-03-20,south,1,1\n2023-03-27,south,1,1\n"
    (told,) = mistakes_of(tmp_path / "t.csv", HEADER + "".join(weeks.values()) + south)
    assert told.endswith("keep the rows of the region after it, or those before it, alone")
    for kept in ([27], [6, 13]):
        rows = read(tmp_path / "t.csv", HEADER + "".join(weeks[day] for day in kept) + south)
        assert [row.timestamp.day for row in rows if row.metadata["region"] == "north"] == kept


def test_a_day_that_no_calendar_needs_is_told_as_a_mistake(tmp_path: Path):
    rows = HEADER + "9999-12-24,west,900,10\n9999-12-31,west,900,20\n"
    assert mistakes_of(tmp_path / "t.csv", rows)[:1] == [
        "lines 2 to 3, column 'date': 9999-12-24 (and 1 other) is not of 1900 to 2199; "
        "expected a day such as 2021-03-15"
    ]


def test_columns_that_are_missing_are_told_together(tmp_path: Path):
    (told,) = mistakes_of(tmp_path / "t.csv", "date,regions,spent\n2023-03-06,north,900\n")
    assert "has no column 'region'; did you mean 'regions'?, no column 'sales', no column of spend, such as" in told
    (told,) = mistakes_of(tmp_path / "t.csv", "week,shop,sales,spent\n2023-03-06,north,900,1\n")
    assert "has no column 'date', no column 'region', no column of spend, such as" in told


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (["2023-03-06,a,1,1", "2023-03-06,b,1,1"], "no region has two periods"),
        (["2023-01-01,a,1,1", "2023-01-31,a,1,1"], "mostly 30 days apart; expected 1, for days, or 7, for weeks"),
        (
            ["2023-03-06T12:00,a,1,1", "2023-03-07T12:00,a,1,1"],
            r"has mistakes \(2\):\n  lines 2 to 3, column 'date': 2023-03-06 12:00 \(and 1 other\) has a time",
        ),
        (["20230306,a,1,1", "20230307,a,1,1"], None),
        (["2023-03-06,a,true,1", "2023-03-07,a,false,1"], r"'sales': 'True' \(and 1 other\) is no number"),
        (['2023-03-06,a,"1,5",1', '2023-03-07,a,"2,5",1'], r"'1,5' \(and 1 other\) is no number; write 1.5"),
        (["2023-03-06,a,1,1", "2023-03-07,a,1,1", "2023-03-10,a,1,1"], "no day of 2023-03-08, nor 1 more"),
    ],
)
def test_what_cannot_be_a_series_is_told(tmp_path: Path, rows: list[str], told: str | None):
    path = tmp_path / "t.csv"
    path.write_text(HEADER + "\n".join(rows))
    if told is None:  # a day as ISO 8601 writes it too
        assert [each.id for each in SpendTable(table=str(path)).samples()] == ["a/2023-03-06", "a/2023-03-07"]
        return
    with pytest.raises(SnapshotError, match=told):
        [*SpendTable(table=str(path)).samples()]


def test_of_very_many_kinds_of_mistakes_some_of_the_table_and_some_of_its_cells_are_told(tmp_path: Path):
    spends = [f"spend_{number}" for number in range(30)]
    rows = [f"2023-03-{day},r{n},1,{','.join(['x'] * 30)}" for n in range(30) for day in ("06", "07", 10 + n // 2)]
    lost = mistakes_of(tmp_path / "t.csv", f"date,region,sales,{','.join(spends)}\n" + "\n".join(rows))
    assert [each.split()[0] for each in lost] == ["region"] * 10 + ["lines"] * 10 + ["and"]


@pytest.mark.parametrize(
    ("dates", "first"),
    [
        ("04/01/2021 11/01/2021 25/01/2021", "2021-01-04"),  # as a sheet of Ireland writes them
        ("1/4/21 1/11/21 1/25/21", "2021-01-04"),  # of the United States
        ("04.01.2021 11.01.2021 25.01.2021", "2021-01-04"),
        ("2021/01/04 2021/01/11 2021/01/25", "2021-01-04"),
        ("01/02/2021 08/02/2021 01/03/2021", "2021-02-01 or 2021-01-02"),  # either way they are days
    ],
)
def test_dates_as_a_spreadsheet_writes_them_hide_no_other_mistake(tmp_path: Path, dates: str, first: str):
    days = dates.split()
    rows = HEADER + "".join(f'{day},a,"4{number},412.62",1\n' for number, day in enumerate(days))
    lost = mistakes_of(tmp_path / "t.csv", rows)
    assert lost[-2:] == [
        f"lines 2 to 4, column 'date': '{days[0]}' (and 2 others) is no day; write {first}",
        "lines 2 to 4, column 'sales': '40,412.62' (and 2 others) is no number; write 40412.62",
    ]
    assert [told.split("; ")[0] for told in lost[:-2]] == (
        [] if " or " in first else ["region 'a' has no week of 2021-01-18"]
    )


@pytest.mark.parametrize(
    ("cells", "first"),
    [
        ("1,234;5.5;2,345.5", "1234"),  # the comma is told by another row
        ("1,234;5.5;2,5", "1.234"),
        ("1,234;5.5;3,456", "1234 or 1.234"),
        ("1.234,5;999;2.345.678", "1234.5"),
        ("1 234;999;12 345,5", "1234"),
        ("€1,234.50;1;$2,000,000", "1234.50"),
        ("12 34;1;1", None),
    ],
)
def test_a_number_as_a_spreadsheet_writes_it_is_told_as_a_program_reads_it(tmp_path: Path, cells: str, first: str):
    rows = HEADER + "".join(f'2023-03-{13 + n},a,"{cell}",1\n' for n, cell in enumerate(cells.split(";")))
    (told,) = mistakes_of(tmp_path / "t.csv", rows)
    assert told.endswith(f" is no number; {f'write {first}' if first else 'expected a number of at least 0'}")


def test_the_same_mistake_in_many_rows_is_told_once(tmp_path: Path):
    days = [f"2023-03-{day:02},a" for day in range(1, 10)]
    rows = [f"{day},{'' if k < 5 else 1},{'' if k % 2 else 2}" for k, day in enumerate(days)]
    empty = "it is empty or n/a; expected a number of at least 0, 0 where there was nothing"
    assert mistakes_of(tmp_path / "t.csv", HEADER + "\n".join(rows)) == [
        f"lines 2 to 6, column 'sales': {empty}",
        f"lines 3, 5, 7 and 1 more, column 'spend_tv': {empty}",
    ]


def test_lines_are_those_of_an_editor(tmp_path: Path):
    text = 'sep=;\ndate;region;sales;spend_tv;note\n2023-03-06;a;1;1;"two\nlines"\n\n2023-03-13;a;1;-1;\n'
    assert mistakes_of(tmp_path / "t.csv", text)[0].startswith("line 6, column 'spend_tv': -1 is too little")


def test_of_parquet_rows_are_counted(tmp_path: Path):
    path = tmp_path / "t.parquet"
    columns = {"date": ["2023-03-06", "2023-03-13"], "region": ["a", "a"], "sales": [1, 1], "spend_tv": [1, -1]}
    pq.write_table(pa.table(columns), path)
    with pytest.raises(SnapshotError, match="row 2, column 'spend_tv': -1 is too little"):
        [*SpendTable(table=str(path)).samples()]


class RowByRow(SpendTable):
    def samples(self):
        for batch in SpendTable.batches(self):
            yield from batch.rows()

    def batches(self):
        return None


def test_columns_have_the_data_hash_that_rows_have(tmp_path: Path):
    text = "date;region;sales;spend_tv;bank_holidays;price;shop;open;n;empty\n"
    text += "2023-03-06;north;900;10,5;3;4,2;corner;true;3;\n2023-03-07; south \u00e9;900;10,0;0;4,1;;false;;\n"
    text += "2023-03-07;north;90;1;0;4;x;false;7;\n2023-03-08; south \u00e9;900;10,0;0;4,1;;false;8;\n"
    path, store = tmp_path / "t.csv", Store(tmp_path / "store")
    path.write_text(text, encoding="utf-8")
    hashes = [
        take_snapshot(DataRecipe(source=source(table=str(path))), store).data_hash for source in (SpendTable, RowByRow)
    ]
    # As of when rows were read one by one: whoever pinned it still finds it.
    assert hashes == ["blake3:ced8980032a69b31ec03f9edaf10fd9775ec0d01119ef8c628527bbd0a8a300e"] * 2


@pytest.mark.parametrize(
    ("arguments", "known"),
    [
        ({"regions": 3, "years": 2}, "ccb93b5f790e83bbe2ed0690b2d5db183ac7a79a5575a6ba1f1149ffae86dd15"),
        (
            {"regions": 2, "years": 1, "every": "day"},
            "094c7eb4dd6e6bf9a2d7a6d7253480d93ebc97cad43e17bd05f08be94ec004e9",
        ),
    ],
)
def test_the_drawn_market_has_the_data_hash_it_had_row_by_row(tmp_path: Path, arguments: dict[str, object], known: str):
    taken = take_snapshot(DataRecipe(source=MarketSource(**arguments)), Store(tmp_path / "store"))
    assert taken.data_hash == f"blake3:{known}"
