"""What the quality checks found."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """Something wrong with the data.

    Args:
        check: name of the check, e.g. `ClassBalance`.
        level: `stop` ends the run, `warn` is shown.
        message: names the thing, the value and the mend.
        samples: ids that show it, at most ten.
    """

    check: str
    level: Literal["warn", "stop"]
    message: str
    samples: tuple[str, ...] = ()


@dataclass(frozen=True)
class QualityReport:
    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
