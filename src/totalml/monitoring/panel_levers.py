"""The watch of levers as a monitor has it: fitted on a reference, given what labels came in each window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
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
    """Args:
    levers: that the model says something of.
    watch: None: there are none.
    idle: other levers, of which the model says that they bring nothing, so that none of it can be lost.
    """

    levers: Levers
    panel: Panel
    watch: LeverWatch | None
    idle: tuple[str, ...] = ()

    @classmethod
    def fit(
        cls, levers: Levers, panel: Panel, reference: pa.Table, truths: pa.Table, average_run: float
    ) -> Self | None:
        """None: the reference lacks columns that the model sees."""
        known = levers.errors(reference, truths, panel)
        if known is None:
            return None
        brings = np.nan_to_num(known.brought).any(axis=0)
        names = [*levers.features]
        idle = tuple(name for name, any_of_it in zip(names, brings, strict=True) if not any_of_it)
        if idle:
            features = {name: each for name, each in levers.features.items() if name not in idle}
            levers, known = replace(levers, features=features), replace(known, brought=known.brought[:, brings])
        watch = LeverWatch(panel, [*levers.features], known, average_run) if levers.features else None
        return cls(levers, panel, watch, idle)

    def look(self, labelled: pa.Table) -> Evidence:
        """Args: labelled: of a window that is over, with columns of the log and of labels."""
        found = self._look(labelled)
        if not self.idle:
            return found
        unseen = f"not watched, since the model says that they bring nothing: {', '.join(self.idle)}"
        return replace(found, told="; ".join(filter(None, (found.told, unseen))))

    def restart(self) -> None:
        """After something was done about an alarm."""
        if self.watch is not None:
            self.watch.restart()

    def state(self) -> dict[str, Any]:
        return {} if self.watch is None else self.watch.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        if self.watch is not None and state:
            self.watch.restore(state)

    def _look(self, labelled: pa.Table) -> Evidence:
        if self.watch is None:
            return Evidence(OF_LEVERS, False, "")
        truths = columns_after(PREFIX, labelled)
        found = self.levers.errors(labelled, truths, self.panel) if len(labelled) else None
        if found is None:
            told = "no labels came" if not len(labelled) else "labels came of rows that lack what the model sees"
            return Evidence(OF_LEVERS, False, told)
        return self.watch.look(found)
