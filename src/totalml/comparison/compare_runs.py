"""Runs side by side in the terminal and as one page, `compare.html`; the first is what the others are held against.

  totalml compare 4f1c2a9b 77d0e3a1 9b2c44e0    these runs
  totalml compare guinness                      the runs of a recipe, oldest first

It tells which keys differ, every metric with its interval, whether a difference can be told from chance on the same
test samples, which classes and groups of samples are better and worse for it, and which pictures are judged
differently. All comes from the run folders; the pictures come from the store.
"""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.comparison.figures import moved, paired_in_words, paired_told, step, step_interval
from totalml.errors import RecipeError
from totalml.report.number_format import SHARES, figure
from totalml.values.shown import SAME, counted, visible

if TYPE_CHECKING:
    from totalml.comparison.side_by_side import SideBySide
    from totalml.comparison.slices import SliceChanges
    from totalml.project import Place
    from totalml.runs.attempt import Attempt

MOST_RUNS = 8
MOST_GROUPS, CLOSEST = 20, 3
PAGE_FILE = "compare.html"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", nargs="+", help="a run id or its start, <run id>/<attempt>, a folder; or one recipe")
    parser.add_argument("--page", metavar="FILE", help=f"where the page is written ({PAGE_FILE} among the runs)")
    parser.add_argument("--wandb", action="store_true", help="print how to look at the same runs with `wandb leet`")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.comparison.compare_page import write_page
    from totalml.comparison.side_by_side import side_by_side

    attempts = attempts_of_command(arguments.run, place)
    others = side_by_side(attempts)
    print(as_text(attempts, others))
    page = Path(arguments.page).absolute() if arguments.page else place.runs / PAGE_FILE
    print(f"Page: {write_page(page, attempts, others, place)}")
    if arguments.wandb:
        print("\n".join(_leet(attempts)))
    return 0


def attempts_of_command(given: Sequence[str], place: Place) -> list[Attempt]:
    """The runs that a command line names: several, or those of one recipe.

    Raises: RecipeError: fewer than two runs are meant, or too many."""
    from totalml.runs.find import find_run, finished_runs

    if len(given) == 1:
        latest = {each.facts["run_id"]: each for each in finished_runs(given[0].removesuffix(".yaml"), place.runs)}
        found = list(latest.values())[-MOST_RUNS:]
        if len(found) < 2:
            raise RecipeError(
                f"command line: {given[0]!r} has {counted(len(found), 'finished run')}; name two runs to compare"
            )
        return found
    if len(given) > MOST_RUNS:
        raise RecipeError(f"command line: {len(given)} runs; at most {MOST_RUNS} stand side by side")
    return [find_run(text, place.runs) for text in given]


def as_text(attempts: Sequence[Attempt], others: Sequence[SideBySide]) -> str:
    """Blocks with a title each, lines indented."""
    from totalml.comparison.diff import as_text as blocks
    from totalml.comparison.sections import Section, metric_lines, recipe_section
    from totalml.comparison.side_by_side import side_of, titles
    from totalml.terminal import aligned

    names = titles(attempts)
    rows = [(name, visible(side_of(attempt).title)) for name, attempt in zip(names, attempts, strict=True)]
    parts = [Section("Compared", tuple(aligned(rows, SAME)))]
    for name, beside in zip(names[1:], others, strict=True):
        lines = metric_lines(beside.metrics, (names[0], name))
        parts.append(Section(f"{name} against {names[0]}: {told_of(beside)}", tuple(lines)))
        keys = recipe_section(beside.keys, None)
        parts.append(replace(keys, title=f"  {keys.title}"))
        if rows := [(visible(each.label), paired_in_words(each.paired)) for each in beside.classes]:
            parts.append(Section("  Classes, by their own test samples", tuple(aligned(rows, SAME))))
        if beside.slices:
            parts.append(
                Section(
                    f"  Groups: {groups_in_words(beside.slices)}",
                    tuple(aligned(_group_rows(beside.slices), SAME)),
                )
            )
    return blocks(parts)


def groups_in_words(slices: SliceChanges) -> str:
    """`1 better and 2 worse of 43 that both looked at`."""
    if not slices.all:
        apart, small = (", ".join(map(visible, columns)) for columns in (slices.apart, slices.small))
        why = [f"only one cut it, or otherwise: {apart}"] if apart else []
        why += [f"no group has evaluation.slices.min_support samples: {small}"] if small else []
        return f"none to compare ({'; '.join(why)})"
    better, worse = (sum(getattr(one, word) for one in slices.all) for word in ("better", "worse"))
    if not better and not worse:
        return f"none clearly better or worse of {len(slices.all):,} that both looked at"
    return f"{better} better and {worse} worse of {len(slices.all):,} that both looked at"


def _group_rows(slices: SliceChanges) -> list[tuple[str, ...]]:
    """Those that are clearly better or worse; if none is, those that came closest."""
    gained, lost = moved(slices.figure in SHARES)
    told = slices.clear()[:MOST_GROUPS] or slices.closest(CLOSEST)
    return [
        (
            visible(one.name),
            ("better" if one.better else "worse" if one.worse else "unclear"),
            f"{figure(slices.figure, one.before)} to {figure(slices.figure, one.after)}",
            f"{step(slices.figure, one.step)}{_unit(slices)} ({step_interval(slices.figure, one.change)})",
            f"{one.gained:,} {gained} and {one.lost:,} {lost} of {one.count:,}",
        )
        for one in told
    ]


def _unit(slices: SliceChanges) -> str:
    return " points" if slices.figure in SHARES else ""


def told_of(beside: SideBySide) -> str:
    """`better by 2.1 points (0.4 to 3.9), 12 gained and 4 lost of 228`."""
    paired = beside.paired
    if paired is None:
        return "not tested on the same samples, so chance cannot be told from difference"
    return f"{paired_told(paired)} of {paired.count:,}"


def _leet(attempts: Sequence[Attempt]) -> list[str]:
    """A command for each run that has been written for W&B."""
    from totalml.runs.attempt import WANDB_FOLDER

    lines = []
    for attempt in attempts:
        name = f"{attempt.facts['run_id']}/{attempt.number}"
        written = list(attempt.folder.glob(f"{WANDB_FOLDER}/offline-run-*"))
        command = shlex.join(["wandb", "leet", str(attempt.folder / WANDB_FOLDER)])
        lines.append(command if written else f"# {name} was not tracked offline: tracking=offline runtime.rerun=true")
    return lines
