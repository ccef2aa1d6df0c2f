"""The watch of levers as a monitor has it: fitted on a reference, given what labels came in each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pyarrow as pa

from totalml.labels.columns import PREFIX
from totalml.monitoring.lever_effects import LeverWatch
from totalml.monitoring.verdict import OF_LEVERS, Evidence
from totalml.release.log_rows import columns_after

if TYPE_CHECKING:
    from totalml.monitoring.levers import Levers
    from totalml.monitoring.panel import Panel


@dataclass(frozen=True)
class PanelLevers:
    levers: Levers
    panel: Panel
    watch: LeverWatch

    @classmethod
    def fit(
        cls, levers: Levers, panel: Panel, reference: pa.Table, truths: pa.Table, average_run: float
    ) -> Self | None:
        """None: the reference lacks columns that the model sees."""
        known = levers.errors(reference, truths, panel)
        if known is None:
            return None
        return cls(levers, panel, LeverWatch(panel, [*levers.features], known, average_run))

    def look(self, labelled: pa.Table) -> Evidence:
        """Args: labelled: of a window that is over, with columns of the log and of labels."""
        truths = columns_after(PREFIX, labelled)
        found = self.levers.errors(labelled, truths, self.panel) if len(labelled) else None
        if found is None:
            told = "no labels came" if not len(labelled) else "labels came of rows that lack what the model sees"
            return Evidence(OF_LEVERS, False, told)
        return self.watch.look(found)

    def state(self) -> dict[str, Any]:
        return self.watch.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self.watch.restore(state)
