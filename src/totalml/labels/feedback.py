"""Keep labels of a table: what turned out to be true of requests that a model answered.

  totalml feedback guinness labels.csv                               columns request_id, label; id, of one sample
  totalml feedback guinness labels.csv --column label=verdict --column request_id=request
  totalml feedback prices@candidate sold.parquet                     of numbers: a column for each target

The table is a .csv, .tsv, .parquet or .jsonl. Several labels stand in a column `labels`: a list, or in text joined by
';'. A row whose label is empty is left out. Without an id a label is of each sample of its request. A later label
replaces an earlier one; the same file again adds nothing. Exit code 4: rows that cannot be used; then none is kept.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import DataError, RecipeError
from totalml.values.shown import counted

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.evaluation.truth import Truth
    from totalml.project import Place

MOST_TOLD = 3  # labels of no prediction that are named


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose answers they are of; or MODEL@ALIAS (production)")
    parser.add_argument("file", metavar="FILE", type=Path, help="a .csv, .tsv, .parquet or .jsonl")
    parser.add_argument(
        "--column", metavar="OURS=THEIRS", action="append", default=[], help="the column of the file that holds it"
    )


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.labels.columns import table_of
    from totalml.labels.known import find_known
    from totalml.labels.label import truth_of
    from totalml.labels.labels import Labels, Segments
    from totalml.labels.table import read_file
    from totalml.machine import user
    from totalml.release.named import find_of_model
    from totalml.release.signature import Signature

    store, file = place.open_store(), arguments.file
    model, bundle = find_of_model(arguments.model, store)
    truth = truth_of(Signature.read(bundle))
    columns = _columns(arguments.column, truth)
    found, empty = read_file(file, truth, columns)
    if not found:
        raise DataError(f"no row of {file} has a label; fill the column {', '.join(columns[n] for n in truth.columns)}")
    source = _source(file, columns)
    labels = table_of(found, truth, f"{user()}, {file.name}")
    known, unread = find_known(labels, store, model)
    told = f"{counted(len(labels), 'label')} of {model}"
    if Labels(store, model, truth).holds(source):
        print(f"{told} {'was' if len(labels) == 1 else 'were'} kept before; the same file adds nothing")
    else:
        Segments(store, model, source).save(labels)
        print(f"{told} {'is' if len(labels) == 1 else 'are'} kept")
    print(f"  {_belonging(labels, known)}")
    if unread:
        print(f"  {counted(unread, 'file')} of the log could not be read")
    if empty:
        print(f"  left out: {counted(empty, 'row')} without a label")
    return 0


def _belonging(labels: pa.Table, known: pa.Array) -> str:
    """Args: known: (N,) whether the log holds the prediction of each."""
    import pyarrow.compute as pc

    from totalml.labels.label import ID, REQUEST_ID

    others = labels.filter(pc.invert(known))
    held = len(labels) - len(others)
    first = others.select([REQUEST_ID, ID]).slice(0, MOST_TOLD).to_pylist()
    names = [each[REQUEST_ID] + (f" (id {each[ID]})" if each[ID] is not None else "") for each in first]
    named = f"{', such as' if len(others) > MOST_TOLD else ':'} {', '.join(names)}" if names else ""
    return f"{held:,} belong to predictions that the log holds, {len(others):,} to none that it holds{named}"


def _columns(given: Sequence[str], truth: Truth) -> dict[str, str]:
    """Ours -> the file's. Raises: RecipeError: names all that is wrong."""
    from totalml.labels.label import ID, REQUEST_ID
    from totalml.target import did_you_mean

    found = {name: name for name in (REQUEST_ID, ID, *truth.columns)}
    wrong = []
    for each in given:
        ours, equals, theirs = each.partition("=")
        if not equals or not theirs:
            wrong.append(f"command line: --column {each} wants OURS=THEIRS, such as request_id=request")
        elif ours not in found:
            hint = did_you_mean(ours, found) or f"; there are {', '.join(found)}"
            wrong.append(f"command line: --column {each}: a label has no {ours!r}{hint}")
        else:
            found[ours] = theirs
    if wrong:
        raise RecipeError(*wrong)
    return found


def _source(file: Path, columns: Mapping[str, str]) -> str:
    """The same for the same bytes read in the same way, whatever the file is called."""
    from totalml.identity import canonical, digest, file_digest, short

    return short(digest("labels v1", canonical([file_digest(file), dict(columns)])), 16)
