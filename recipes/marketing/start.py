"""Begin a recipe for a table of your own: recipes/<name>.yaml, and a shared feature for each of its spend_* columns.

Run: python -m recipes.marketing.start spend.csv my_market --value 2.5 [--unit EUR] [--country IE]

Every mistake of the table is told at once. Nothing that is there is overwritten.
"""

import argparse
import json
import re
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recipes.marketing import HOME
from recipes.marketing.periods import WEEK
from recipes.marketing.spend_file import SPEND, SpendFile, is_spend, read_spend, require_file
from totalml.errors import RecipeError, TotalmlError
from totalml.project import find_project
from totalml.recipe.bounds import NAME
from totalml.store.atomic import create_file

YEAR_WEEKS, TEST_WEEKS, LAG_WEEKS = 52, 13, 12
LEAST_WEEKS = 16  # of which four are forecast, four validate, and eight are learnt from


@dataclass(frozen=True)
class Settings:
    """How a table is forecast, in periods of its own.

    Args:
        unit: `w` or `d`.
        horizon: that validation and test have each.
        lags: of spend that is remembered.
        season: after how many a period is like one before; None: the table is too short to tell.
    """

    unit: str
    horizon: int
    lags: int
    season: int | None


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and write the files. Returns: exit code."""
    parser = argparse.ArgumentParser(description="Begin a recipe for a table of date, region, sales and spend_*.")
    parser.add_argument("table", type=Path, help=".csv, .tsv, packed by gzip or not, or .parquet")
    parser.add_argument("name", help="of the recipe: lower case letters, digits and _")
    parser.add_argument(
        "--value", type=float, required=True, help="what one unit of sales earns, in the money of the spend"
    )
    parser.add_argument("--unit", default="EUR", help="of the spend (%(default)s)")
    parser.add_argument("--country", default=HOME, help="of the bank holidays, ISO 3166-1 (%(default)s)")
    given = parser.parse_args(arguments)
    try:
        require_file(given.table)
        table = read_spend(given.table.expanduser())
        files = _files(given, table)
        project = find_project(Path.cwd())
        if project is None:
            raise RecipeError("command line: there is no project here; go to the folder that holds conf/ and recipes/")
        _write(project, files)
    except TotalmlError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print("wrote", *files, sep="\n  ")
    if still := [name for name in _spent(table) if name not in _changing(table)]:
        print("left out, as they never change, so that no data can tell what they bring:", *still)
    print(f"next: python run.py +recipe={given.name}")
    print(f"then, to ask its release: python -m recipes.marketing.asked {shlex.quote(str(given.table))} rows.parquet")
    return 0


def settings_of(table: SpendFile) -> Settings:
    """Raises: RecipeError: it is too short to forecast anything."""
    days = (max(table.days) - min(table.days)).days + table.period_days
    weeks = days // WEEK
    if weeks < LEAST_WEEKS:
        raise RecipeError(
            f"the table has {weeks} weeks, and {LEAST_WEEKS} are the least of which anything is learnt; a year or two "
            "are needed to tell advertising from season"
        )
    horizon = min(TEST_WEEKS, weeks // 4)
    season = YEAR_WEEKS if weeks >= YEAR_WEEKS + 2 * horizon else None
    if table.period_days == WEEK:
        return Settings("w", horizon, LAG_WEEKS, season)
    return Settings("d", WEEK * horizon, WEEK * LAG_WEEKS // 3, season and WEEK * season)


def channels_of(table: SpendFile) -> dict[str, str]:
    """Name of a channel -> its column, of those columns that change at all: of others no data can tell what they bring.

    Raises: RecipeError: two columns come to one name, or none changes.
    """
    names = {column: _name(column.removeprefix(SPEND)) for column in _changing(table)}
    double = [name for name, count in Counter(names.values()).items() if count > 1]
    if double:
        told = ", ".join(repr(column) for column, name in names.items() if name in double)
        raise RecipeError(f"the columns {told} have names that are one without signs and capitals; rename some")
    if not names:
        raise RecipeError(f"no column {SPEND}* of the table ever changes, so that nothing can be learnt of any")
    return {name: column for column, name in names.items()}


def _spent(table: SpendFile) -> list[str]:
    return [name for name in table.columns if is_spend(name)]


def _changing(table: SpendFile) -> list[str]:
    return [name for name in _spent(table) if len({*table.columns[name]}) > 1]


def _name(text: str) -> str:
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if NAME.fullmatch(name) else f"channel_{name}"[:64].rstrip("_")


def _files(given: argparse.Namespace, table: SpendFile) -> dict[str, str]:
    """Path in the project -> text."""
    wrong = []
    if not NAME.fullmatch(given.name):
        wrong.append(
            f"{given.name!r} cannot be a recipe's name; it needs lower case letters, digits and _, a letter first"
        )
    if not 0 < given.value < float("inf"):
        wrong.append(f"--value is {given.value:g}; expected what one unit of sales earns, a number above 0")
    if not re.fullmatch("[A-Z]{2}", given.country):
        wrong.append(f"--country is {given.country!r}; expected a code of ISO 3166-1 such as {HOME}")
    if not given.unit.isprintable():
        wrong.append(f"--unit is {given.unit!r}; expected one line, such as EUR")
    if wrong:
        raise RecipeError(*(f"command line: {each}" for each in wrong))
    settings, channels = settings_of(table), channels_of(table)
    shared = {
        f"conf/shared/{given.name}/{name}.yaml": _definition(given, settings, name, column)
        for name, column in channels.items()
    }
    return {f"recipes/{given.name}.yaml": _recipe(given, table, settings, channels), **shared}


def _definition(given: argparse.Namespace, settings: Settings, name: str, column: str) -> str:
    return f"""\
# What a region was given for {name}, in each period and the {settings.lags} before.
_target_: totalml.features.Lags
owner: marketing
description: spent on {name}, by region
unit: {_quoted(given.unit)}
entity: [region]
column: {_quoted(column)}
lags: {settings.lags}
every: 1{settings.unit}
"""


def _recipe(given: argparse.Namespace, table: SpendFile, settings: Settings, channels: Mapping[str, str]) -> str:
    shared = "".join(f"    - {given.name}/{name}\n" for name in channels)
    levers = "".join(
        f"    {name}: {{feature: {given.name}/{name}, cost: {_quoted(column)}, unit: {_quoted(given.unit)}}}\n"
        for name, column in channels.items()
    )
    word, regions = "weeks" if settings.unit == "w" else "days", len({*table.regions})
    season = f"{settings.season}  # {word}" if settings.season else "null  # the table is too short for one"
    return f"""\
# What does each channel of advertising sell, and where does the next {given.unit} go?
#
# Data    {regions} regions, {len({*table.days})} {word} from {min(table.days)} on; recipes/marketing/README.md
# Run     python run.py +recipe={given.name}
defaults:
  - marketing_table
  - _self_

name: {given.name}

data:
  source:
    table: {_quoted(given.table.as_posix())}
    country: {given.country}
  split:
    horizon: {settings.horizon}{settings.unit}

features:
  shared:
{shared}
task:
  season: {season}

plan:
  value: {given.value:g}  # {given.unit} that one unit of sales earns
  horizon: {settings.horizon}{settings.unit}
  levers:  # least and most: 0.5 and 1.5 times what was spent, unless you say
{levers}
monitoring:
  window: {{hours: 168, rows: {regions * (1 if settings.unit == "w" else WEEK)}}}  # a week of all regions
"""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)  # which YAML reads alike


def _write(project: Path, files: Mapping[str, str]) -> None:
    """Raises: RecipeError: some are there already; then none is written."""
    there = [f"{name} is there already" for name in files if (project / name).exists()]
    if there:
        raise RecipeError(*(f"{each}; remove it, or give another name" for each in there))
    for name, text in reversed([*files.items()]):  # the recipe last, which needs the others
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        create_file(project / name, text.encode())


if __name__ == "__main__":
    sys.exit(main())
