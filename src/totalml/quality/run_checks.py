"""Ask every question, then decide: one run of the checks shows all that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.errors import QualityError
from totalml.quality.report import Finding, QualityReport
from totalml.recipe import QualityRecipe

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.split import Splits


def check_quality(quality: QualityRecipe, snapshot: Snapshot, splits: Splits) -> QualityReport:
    """Run every check of the recipe.

    Raises:
        QualityError: lists all findings that stop the run.
        MissingExtraError: a check needs an optional package.
    """
    findings = tuple(finding for check in quality.checks for finding in check.findings(snapshot, splits))
    stops = [finding for finding in findings if finding.level == "stop"]
    if stops:
        raise QualityError(_report(stops, len(findings)))
    return QualityReport(tuple(type(check).__name__ for check in quality.checks), findings)


def _report(stops: Sequence[Finding], findings: int) -> str:
    lines = [f"the data did not pass its quality checks ({len(stops)} of {findings} findings stop the run):"]
    for finding in stops:
        shown = f" Samples: {', '.join(map(repr, finding.samples))}." if finding.samples else ""
        lines.append(f"  {finding.check}: {finding.message}{shown}")
    lines.append("Mend the data, or set 'level: warn' on the check to go on regardless.")
    return "\n".join(lines)
