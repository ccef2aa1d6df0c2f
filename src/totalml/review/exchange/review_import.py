"""Take verdicts from a file of another tool, about items that were asked about here.

totalml review import guinness tasks.json --who eve      what Label Studio exported, as eve's verdicts
totalml review import guinness verdicts.parquet          columns item, answer, who; as totalml review export writes

The same file again adds nothing. Exit code 4: something in it cannot be used; then none of it is kept.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import DataError
from totalml.recipe.gates import PRODUCTION

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help=f"that was judged; or MODEL@ALIAS ({PRODUCTION})")
    parser.add_argument("file", metavar="FILE", type=Path, help="a .parquet, or a .json of Label Studio")
    parser.add_argument("--who", metavar="NAME", default="", help="gave them (as the file says)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.labels import truth_of
    from totalml.release.named import find_of_model
    from totalml.release.signature import Signature
    from totalml.review.exchange.label_studio import read_tasks
    from totalml.review.exchange.said_of_item import JSON, MOST_BYTES, PARQUET, read_parquet
    from totalml.review.exchange.take_in import take_in
    from totalml.review.reviews import Reviews
    from totalml.review.settings import review_settings

    file = arguments.file
    if not file.is_file() or file.suffix.lower() not in (PARQUET, JSON):
        raise DataError(f"{file} is no file that ends in {PARQUET} or {JSON}")
    if file.stat().st_size > MOST_BYTES:
        raise DataError(f"{file} has more than {MOST_BYTES:,} bytes; import it in parts")
    store = place.open_store()
    model, bundle = find_of_model(arguments.model, store)
    truth, settings = truth_of(Signature.read(bundle)), review_settings(model, bundle, place)
    said = read_parquet(file) if file.suffix.lower() == PARQUET else read_tasks(file, truth)
    new = take_in(Reviews(store, model), said, file, arguments.who, truth, settings.reasons)
    print(f"{new:,} verdicts are new; {len(said) - new:,} were there before")
    return 0
