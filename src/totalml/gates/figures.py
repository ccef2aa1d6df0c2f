"""Every figure of a run by a dotted name, from what lies in the folder of its attempt."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from totalml.evaluation.explanation.record import Explanation
from totalml.evaluation.interval import Interval
from totalml.evaluation.out_of_distribution.record import OutOfDistribution
from totalml.evaluation.record import Evaluation
from totalml.evaluation.robustness.record import Robustness
from totalml.plan.record import Plan
from totalml.quality.report import QualityReport
from totalml.recipe.gates import ANY
from totalml.runs.attempt import EXPLANATION_FILE, OUT_OF_DISTRIBUTION_FILE, PLAN_FILE, ROBUSTNESS_FILE
from totalml.target import closest

NAMED_AT_MOST = 6


def figures_of(folder: Path, evaluation: Evaluation) -> dict[str, Interval]:
    """Args:
    evaluation: of that folder.
    """
    found = evaluation.figures() | _quality(QualityReport.load(folder))
    parts: dict[str, type[Explanation | Robustness | OutOfDistribution | Plan]] = {
        EXPLANATION_FILE: Explanation,
        ROBUSTNESS_FILE: Robustness,
        OUT_OF_DISTRIBUTION_FILE: OutOfDistribution,
        PLAN_FILE: Plan,
    }
    for file, part in parts.items():  # those that the recipe asks for
        if (folder / file).is_file():
            found |= part.load(folder).figures()
    return found


def _quality(report: QualityReport) -> dict[str, Interval]:
    """`quality.findings`, and `quality.findings.<check>` for each that was asked."""
    found = [finding.check for finding in report.findings]
    counts = {f"quality.findings.{check}": Interval(float(found.count(check))) for check in report.checks}
    return {"quality.findings": Interval(float(len(found)))} | counts


def matching(metric: str, figures: Mapping[str, Interval]) -> list[str]:
    """The figure of that name, or all that a name with `*` means."""
    if metric in figures:
        return [metric]
    pattern = re.compile(".*".join(map(re.escape, metric.split(ANY))), re.DOTALL)
    return [name for name in figures if pattern.fullmatch(name)]


def may_be_missing(metric: str) -> bool:
    """Whether data may hold nothing of that name though it is spelt rightly: `slices.*.gap` where all are too small."""
    return ANY in metric.split(".")[1:2]


def unknown(metric: str, figures: Mapping[str, Interval]) -> str:
    """That there is no such figure, with those that may have been meant."""
    if ANY not in metric and (near := closest(metric, figures)):
        return f"there is no {metric!r} in this run, did you mean {near!r}?"
    family = metric.partition(".")[0]
    known = [name for name in figures if name.partition(".")[0] == family] or list(figures)
    more = f" and {len(known) - NAMED_AT_MOST} more" if len(known) > NAMED_AT_MOST else ""
    return f"there is no {metric!r} in this run; there are: {', '.join(known[:NAMED_AT_MOST])}{more}"
