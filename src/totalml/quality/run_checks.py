"""Ask every question, then decide: one run of the checks shows all that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from totalml.errors import QualityError
from totalml.kinds import Check, PictureCheck, QualityCheck, SampleCheck
from totalml.quality.report import Finding, QualityReport
from totalml.quality.suites.record import Suite
from totalml.recipe import QualityRecipe

if TYPE_CHECKING:
    from totalml.data.snapshot import Snapshot
    from totalml.data.splits import Splits
    from totalml.quality.pictures import Pictures


def check_quality(
    quality: QualityRecipe, snapshot: Snapshot, splits: Splits, pictures: Pictures | None = None
) -> QualityReport:
    """Run every check of the recipe; those of pictures only where there are any.

    Raises:
        QualityError: lists all findings that stop the run.
        MissingExtraError: a check needs an optional package.
    """
    asked = [check for check in quality.checks if pictures is not None or not isinstance(check, PictureCheck)]
    found = [one for check in asked for one in _ask(check, snapshot, splits, pictures)]
    findings = tuple(one for one in found if isinstance(one, Finding))
    suites = tuple(one for one in found if isinstance(one, Suite))
    stops = [finding for finding in findings if finding.level == "stop"]
    if stops:
        raise QualityError(_report(stops, len(findings)))
    not_asked = [check for check in quality.checks if check not in asked]
    return QualityReport(_names(asked), findings, _names(not_asked), suites)


def _ask(
    check: QualityCheck, snapshot: Snapshot, splits: Splits, pictures: Pictures | None
) -> Iterable[Finding | Suite]:
    if isinstance(check, SampleCheck):
        return check.findings(snapshot, splits, pictures)
    if isinstance(check, PictureCheck) and pictures is not None:
        return check.findings(snapshot, splits, pictures)
    return check.findings(snapshot, splits) if isinstance(check, Check) else ()


def _names(checks: Sequence[QualityCheck]) -> tuple[str, ...]:
    return tuple(type(check).__name__ for check in checks)


def _report(stops: Sequence[Finding], findings: int) -> str:
    lines = [f"the data did not pass its quality checks ({len(stops)} of {findings} findings stop the run):"]
    lines += [f"  {finding.told()}" for finding in stops]
    lines.append("Mend the data, or set 'level: warn' on the check to go on regardless.")
    return "\n".join(lines)
