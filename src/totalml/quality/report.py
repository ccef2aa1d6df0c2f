"""What the quality checks found."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, Self

from totalml.quality.suites.record import Suite


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

    def told(self, most: int = 10) -> str:
        """For a terminal, with so many samples by name, unless the message names them."""
        named = [repr(each) for each in self.samples]
        if not named or named[0] in self.message:
            return f"{self.check}: {self.message}"
        end = ", ..." if len(named) > most else "."
        return f"{self.check}: {self.message} Samples: {', '.join(named[:most])}{end}"


@dataclass(frozen=True)
class QualityReport:
    """Args:
    not_asked: checks of pictures that the recipe names though its features hold none.
    suites: of deepchecks, with what passed too; what failed is among the findings as well.
    """

    checks: tuple[str, ...]
    findings: tuple[Finding, ...]
    not_asked: tuple[str, ...] = ()
    suites: tuple[Suite, ...] = ()

    def save(self, folder: Path) -> None:
        from totalml.runs.attempt import QUALITY_FILE
        from totalml.store.atomic import write_json  # not above: validating a recipe imports this module

        for suite in self.suites:
            suite.save_page(folder)
        write_json(folder / QUALITY_FILE, asdict(self) | {"suites": [suite.as_json() for suite in self.suites]})

    @classmethod
    def load(cls, folder: Path) -> Self:
        from totalml.runs.attempt import QUALITY_FILE

        values = json.loads((folder / QUALITY_FILE).read_text(encoding="utf-8"))
        findings = (Finding(**found | {"samples": tuple(found["samples"])}) for found in values["findings"])
        suites = map(Suite.from_json, values.get("suites", ()))
        return cls(tuple(values["checks"]), tuple(findings), tuple(values["not_asked"]), tuple(suites))
