"""Put samples of a model in the queue of its reviewers: some by chance, some because a label would tell much.

  totalml review queue guinness                                 what monitors ask for, and requests of the last 14 days
  totalml review queue guinness@candidate --from test           of the release's test split
  totalml review queue guinness --from log --since 48h --count 100
  totalml review queue guinness --predictions preds.parquet --pictures photos/   of what totalml predict answered
  totalml review queue guinness --from-file ids.txt             an id, request id or hash of an input in each line
  totalml review queue guinness --ask explanation               is this where you would look? also: slice
  totalml review queue marketing@candidate --ask plan           would you do this? is this curve right?
  totalml review queue guinness --from doubtful                 labels of its snapshot that contradict those like them
  totalml review queue guinness --doubtful doubts.parquet       the same of a table: id, label, suggested, doubt

Shares of the queues stand in the recipe. What was queued once is not drawn again. Each item holds the probability with
which it was drawn, so that figures can be made of all of them. Exit code 4: there is nothing to ask about.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import DataError, RecipeError

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose answers are judged; or MODEL@ALIAS (production)")
    parser.add_argument("--from", dest="source", choices=("log", "test", "alerts", "doubtful"), help="(alerts and log)")
    parser.add_argument("--count", type=int, metavar="N", help="items to draw (as the recipe says)")
    parser.add_argument("--since", metavar="SPAN", default="14d", help="of the log: 14d, 12h (14d)")
    parser.add_argument("--predictions", metavar="FILE", type=Path, help="that totalml predict wrote")
    parser.add_argument("--pictures", metavar="FOLDER", type=Path, help="where the pictures of these lie")
    parser.add_argument("--from-file", metavar="FILE", type=Path, help="that names samples")
    parser.add_argument("--doubtful", metavar="FILE", type=Path, help="a .parquet of doubtful labels")
    parser.add_argument("--ask", choices=("label", "explanation", "slice", "plan"), default="label", help="(label)")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import find_of_model
    from totalml.review.queues.fill import USUAL, Wanted, fill
    from totalml.review.queues.from_log import span_of
    from totalml.review.settings import review_settings
    from totalml.values.shown import counted

    _require_one_source(arguments)
    wanted = Wanted(
        source=arguments.source or USUAL,
        count=arguments.count,
        since=span_of(arguments.since),
        predictions=arguments.predictions,
        pictures=arguments.pictures,
        ids=arguments.from_file,
        doubtful=arguments.doubtful,
        ask=arguments.ask,
    )
    store = place.open_store()
    _, bundle = find_of_model(arguments.model, store)
    filled = fill(store, bundle, review_settings(bundle.name, bundle, place), wanted)
    if not filled.batch:
        raise DataError("\n".join([f"there is nothing of {bundle.name} to ask about", *filled.told]))
    queues = ", ".join(f"{count:,} {queue.replace('_', ' ')}" for queue, count in filled.queues.items())
    items = sum(filled.queues.values())
    wait = f"{counted(items, 'item')} of {bundle.name} {'waits' if items == 1 else 'wait'}"
    print(f"{wait} for reviewers: {queues}")
    for each in filled.told:
        print(f"  {each}")
    return 0


def _require_one_source(arguments: argparse.Namespace) -> None:
    """Raises: RecipeError: names all that is wrong."""
    options = ("--from", "--predictions", "--from-file", "--doubtful")
    values = (arguments.source, arguments.predictions, arguments.from_file, arguments.doubtful)
    given = [option for option, value in zip(options, values, strict=True) if value is not None]
    wrong = [f"command line: {' and '.join(given)} are two sources; give one"] if len(given) > 1 else []
    if arguments.pictures is not None and arguments.predictions is None:
        wrong.append("command line: --pictures says where those of --predictions lie; give that too")
    if arguments.count is not None and not 1 <= arguments.count <= 100_000:
        wrong.append(f"command line: --count {arguments.count} is to be a number from 1 to 100000")
    if wrong:
        raise RecipeError(*wrong)
