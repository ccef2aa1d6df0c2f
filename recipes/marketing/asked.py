"""Rows that a release is asked with, made of a table of one's own: with the columns that `SpendTable` adds to it.

Run: python -m recipes.marketing.asked spend.csv rows.parquet [--last 8] [--country IE]
     totalml predict my_market@candidate rows.parquet --out preds.parquet

Give the whole table, as the trend counts from its first day, and the latest periods at its end.
"""

import argparse
import sys
from pathlib import Path

from recipes.marketing import HOME
from recipes.marketing.spend_file import require_file
from recipes.marketing.table import SpendTable
from totalml.errors import RecipeError, TotalmlError
from totalml.store.atomic import write_atomically

LAST = 8


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and write the rows. Returns: exit code."""
    parser = argparse.ArgumentParser(description="Make rows for totalml predict of a table of date, region, spend_*.")
    parser.add_argument("table", type=Path, help=".csv, .tsv, packed by gzip or not, or .parquet")
    parser.add_argument("rows", type=Path, help="to be written, .parquet")
    parser.add_argument("--last", type=int, default=LAST, help="periods, of each region (%(default)s)")
    parser.add_argument("--country", default=HOME, help="of the bank holidays, as in the recipe (%(default)s)")
    parser.add_argument("--subdivision", help="of the country, as in the recipe")
    given = parser.parse_args(arguments)
    try:
        require_file(given.table)
        count = write_rows(given.table, given.rows, given.last, given.country, given.subdivision)
    except TotalmlError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"wrote {count:,} rows of the latest {given.last} periods to {given.rows}")
    return 0


def write_rows(table: Path, target: Path, last: int, country: str = HOME, subdivision: str | None = None) -> int:
    """How many were written. Raises: DataError, RecipeError: with all mistakes of the table, or of what is asked."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    wrong = []
    if target.suffix != ".parquet":
        wrong.append(f"{str(target)!r} is to be a file that ends in .parquet")
    if last < 1:
        wrong.append(f"--last is {last}; expected a number of periods from 1")
    if wrong:
        raise RecipeError(*(f"command line: {each}" for each in wrong))
    samples = [*SpendTable(table=str(table), country=country, subdivision=subdivision).samples()]
    since = sorted({each.timestamp for each in samples if each.timestamp is not None})[-last:][0]
    rows = [
        {"id": each.id, "timestamp": each.timestamp, **each.metadata}
        for each in samples
        if each.timestamp is not None and each.timestamp >= since
    ]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink)
    write_atomically(target, sink.getvalue().to_pybytes())
    return len(rows)


if __name__ == "__main__":
    sys.exit(main())
