"""Write a W&B report that shows chosen runs side by side, and print its address.

  python scripts/wandb_report.py 4f1c2a9b 77d0e3a1 9b2c44e0    these runs; the others are held against the first
  python scripts/wandb_report.py guinness                      the runs of a recipe, oldest first

Runs are named as for `totalml compare`, and must have been sent: tracking=wandb, or `totalml track sync`. The words
come from the run folders; curves, figures and media from W&B. Needs `pip install 'totalml[wandb-report]'`, and the
account of `wandb login` or WANDB_API_KEY.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlparse

from totalml.comparison.compare_runs import as_text, attempts_of_command
from totalml.comparison.side_by_side import side_by_side, titles
from totalml.errors import MissingExtraError, TotalmlError, TrackingError
from totalml.project import find_place
from totalml.terminal import report
from totalml.tracking.record import TrackingRecord

if TYPE_CHECKING:
    from totalml.runs.attempt import Attempt

CURVES = ("train/loss", "validation/loss", "validation/accuracy")
FIGURES = ("test/accuracy", "test/f1", "test/auroc", "test/ece")
MEDIA = ("confusion_matrix", "samples", "slices")
LONGEST_TITLE = 128
WIDE, HIGH = 12, 8  # of a panel; a row is 24 wide


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", nargs="+", help="as for `totalml compare`")
    parser.add_argument("--title", help="of the report (which runs are compared)")
    parser.add_argument("--draft", action="store_true", help="seen by nobody else yet")
    parser.add_argument("--runs", metavar="FOLDER", help="where the runs lie (runs)")
    arguments = parser.parse_args(given)
    try:
        attempts = attempts_of_command(arguments.run, find_place(Path.cwd(), arguments.runs, None))
        print(write(attempts, arguments.title, draft=arguments.draft))
    except TotalmlError as error:
        return report(error, show_traceback=False).exit_code
    return 0


def write(attempts: Sequence[Attempt], title: str | None, *, draft: bool) -> str:
    """The address of the report, in the project of the first run.

    Raises: TrackingError: a run has not been sent, or W&B does not take the report.
    """
    records = [sent_record(attempt) for attempt in attempts]
    try:
        import wandb_workspaces.reports.v2 as wr
    except ImportError as error:
        raise MissingExtraError("wandb-workspaces", "wandb-report", "a W&B report") from error
    entity, project = home(records[0])
    recipes = ", ".join(dict.fromkeys(attempt.facts["name"] for attempt in attempts))
    title = title or f"{recipes}: {len(attempts)} runs side by side"
    made = wr.Report(project, entity, title[:LONGEST_TITLE], blocks=blocks(wr, attempts, records))
    try:
        return str(made.save(draft).url)
    except Exception as error:  # wandb has errors of every kind
        words = " ".join(str(error).split())
        raise TrackingError(f"W&B did not take the report: {type(error).__name__}: {words}") from error


def sent_record(attempt: Attempt) -> TrackingRecord:
    record = TrackingRecord.load(attempt.folder)
    if record is None or not record.sent or not record.url:
        name = f"{attempt.facts['run_id']}/{attempt.number}"
        raise TrackingError(f"run {name} has not been sent to W&B; `totalml track sync {name}` sends it")
    return record


def home(record: TrackingRecord) -> tuple[str, str]:
    """Entity and project, as the backend told them in the address of the run."""
    entity, project = urlparse(str(record.url)).path.strip("/").split("/")[:2]
    return entity, project


def blocks(wr: Any, attempts: Sequence[Attempt], records: Sequence[TrackingRecord]) -> list[Any]:
    """What differs in words, then curves, figures, keys and media of the same runs."""
    names = titles(attempts)
    words = "\n".join(f"- **{name}** `{record.id}`" for name, record in zip(names, records, strict=True))
    panels = [
        *(wr.LinePlot(title=key, x="epoch", y=[key], layout=_place(wr, n)) for n, key in enumerate(CURVES)),
        *(
            wr.BarPlot(title=key, metrics=[key], orientation="v", layout=_place(wr, n))
            for n, key in enumerate(FIGURES, len(CURVES))
        ),
        wr.RunComparer(diff_only="split", layout=wr.Layout(0, 4 * HIGH, 2 * WIDE, 2 * HIGH)),
        wr.MediaBrowser(media_keys=list(MEDIA), layout=wr.Layout(0, 6 * HIGH, 2 * WIDE, 2 * HIGH)),
    ]
    return [
        wr.MarkdownBlock(f"Everything is held against {names[0]}.\n\n{words}"),
        wr.CodeBlock(as_text(attempts, side_by_side(attempts)), language="markdown"),
        wr.PanelGrid(runsets=_runsets(wr, records), panels=panels),
    ]


def _runsets(wr: Any, records: Sequence[TrackingRecord]) -> list[Any]:
    """One for each project, with these runs and no others."""
    ids = defaultdict[tuple[str, str], list[str]](list)
    for record in records:
        ids[home(record)].append(record.id)
    return [
        wr.Runset(entity, project, f"{project}, compared", filters=f"ID in {named!r}")
        for (entity, project), named in ids.items()
    ]


def _place(wr: Any, number: int) -> Any:
    return wr.Layout(number % 2 * WIDE, number // 2 * HIGH, WIDE, HIGH)


if __name__ == "__main__":
    sys.exit(main())
