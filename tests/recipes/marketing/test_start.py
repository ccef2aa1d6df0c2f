"""A recipe that is begun for a table has the channels and periods of the table, and one that cannot be is told."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from recipes.marketing import asked
from recipes.marketing.start import main
from recipes.marketing.table import SpendTable
from tests.projects import REPOSITORY, new_project
from totalml.component import plain
from totalml.compose import compose_recipe


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    recipes = {name: (REPOSITORY / "recipes" / f"{name}.yaml").read_text() for name in ("marketing", "marketing_table")}
    monkeypatch.chdir(new_project(tmp_path, recipes))
    return tmp_path


def write_table(path: Path, periods: int = 130, days: int = 7, header: str = "spend_tv,spend_radio") -> None:
    rows = ["date,region,sales," + header]
    for region in ("north", "south"):
        for number in range(periods):
            spent = [str(10 + (number * (place + 3)) % 11) for place in range(header.count(",") + 1)]
            day = date(2021, 1, 4) + timedelta(days=days * number)
            rows.append(f"{day},{region},{100 + number % 13},{','.join(spent)}")
    path.write_text("\n".join(rows) + "\n")


def begun(project: Path, name: str, *overrides: str) -> dict[str, Any]:
    """Every key of a recipe that composes and is valid."""
    return dict(plain(compose_recipe(project, [f"+recipe={name}", *overrides]), where=True))


def test_a_channel_may_have_any_name_and_those_that_never_change_are_told(project: Path, capsys):
    write_table(project / "spend.csv", header="spend_Google Ads,spend_2nd 'TV',spend_fix")
    text = (project / "spend.csv").read_text().splitlines()
    still = [text[0], *(row.rpartition(",")[0] + ",5" for row in text[1:])]
    (project / "spend.csv").write_text("\n".join(still))
    assert main(["spend.csv", "mine", "--value", "1"]) == 0
    assert capsys.readouterr().out.splitlines()[-3].endswith(": spend_fix")
    levers = begun(project, "mine")["plan"]["levers"]
    assert {name: lever["cost"] for name, lever in levers.items()} == {
        "google_ads": "spend_Google Ads",
        "channel_2nd_tv": "spend_2nd 'TV'",
    }
    assert yaml.safe_load((project / "conf/shared/mine/google_ads.yaml").read_text())["column"] == "spend_Google Ads"


@pytest.mark.parametrize(
    ("periods", "days", "horizon", "season", "every"),
    [(78, 7, "13w", 52, "1w"), (77, 7, "13w", None, "1w"), (20, 7, "5w", None, "1w"), (600, 1, "91d", 364, "1d")],
)
def test_periods_are_those_of_the_table(project: Path, periods, days, horizon, season, every):
    write_table(project / "spend.csv", periods, days)
    assert main(["spend.csv", "mine", "--value", "1"]) == 0
    mine = begun(project, "mine")
    assert (mine["data"]["split"]["horizon"], mine["plan"]["horizon"], mine["task"]["season"]) == (
        horizon,
        horizon,
        season,
    )
    assert {shared["feature"]["every"] for shared in mine["features"]["shared"]} == {every}


@pytest.mark.parametrize(
    ("header", "periods", "arguments", "told"),
    [
        ("spend_tv", 15, ["mine", "--value", "1"], "the table has 15 weeks, and 16 are the least"),
        ("spend_tv,spend_TV", 30, ["mine", "--value", "1"], "the columns 'spend_tv', 'spend_TV' have names"),
        ("tv", 30, ["mine", "--value", "1"], "no column of spend, such as 'spend_tv'"),
        ("spend_tv", 30, ["Mine", "--value", "nan", "--country", "ie"], "'Mine' cannot be a recipe's name"),
        ("spend_tv", 30, ["Mine", "--value", "nan", "--country", "ie"], "--value is nan; expected what"),
        ("spend_tv", 30, ["Mine", "--value", "nan", "--country", "ie"], "--country is 'ie'; expected a code"),
        ("spend_tv", 30, ["marketing", "--value", "1"], "recipes/marketing.yaml is there already"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_written(project: Path, capsys, header, periods, arguments, told):
    write_table(project / "spend.csv", periods, header=header)
    before = sorted(project.rglob("*"))
    assert main(["spend.csv", *arguments]) in (2, 4)
    assert told in capsys.readouterr().err
    assert sorted(project.rglob("*")) == before


def test_a_table_that_is_not_there_is_told_as_the_command_line_names_it(project: Path, capsys):
    for command, words in ((main, ["none.csv", "mine", "--value=1"]), (asked.main, ["none.csv", "rows.parquet"])):
        assert command(words) == 2
        assert capsys.readouterr().err == f"command line: the table 'none.csv' is no file (seen from {Path.cwd()})\n"


def test_rows_of_parquet_are_counted_as_rows(project: Path, capsys):
    table = {"date": ["2021-01-04", "2021-01-11"], "region": ["a", "a"], "sales": [1.0, -1.0], "spend_tv": [1.0, 2.0]}
    pq.write_table(pa.table(table), project / "spend.parquet")
    assert main(["spend.parquet", "mine", "--value", "1"]) == 4
    assert "row 2, column 'sales': -1 is too little" in capsys.readouterr().err


def test_rows_that_a_release_is_asked_with_are_the_latest_ones_with_all_that_training_saw(project: Path, capsys):
    write_table(project / "my spend.csv")
    assert main(["my spend.csv", "mine", "--value", "1"]) == 0
    assert capsys.readouterr().out.endswith("python -m recipes.marketing.asked 'my spend.csv' rows.parquet\n")
    assert asked.main(["my spend.csv", "rows.parquet", "--last", "3"]) == 0
    assert "wrote 6 rows of the latest 3 periods" in capsys.readouterr().out
    rows = pq.read_table("rows.parquet").to_pylist()
    trained = {each.id: each for each in SpendTable(table="my spend.csv").samples()}
    latest = sorted({each.timestamp for each in trained.values()})[-3:]
    assert {row["timestamp"] for row in rows} == {*latest}
    for row in rows:
        assert {key: row[key] for key in trained[row["id"]].metadata} == trained[row["id"]].metadata
    needed = begun(project, "mine")["features"]["table"]["numeric"]
    assert {*needed} <= {*rows[0]}


def test_rows_to_ask_with_are_refused_with_all_mistakes(project: Path, capsys):
    write_table(project / "spend.csv")
    assert asked.main(["spend.csv", "rows.csv", "--last", "0"]) == 2
    told = capsys.readouterr().err
    assert "ends in .parquet" in told
    assert "--last is 0" in told
