"""What a service is made of, and in which order that starts and ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from totalml.serving.arms import Arms

if TYPE_CHECKING:
    from totalml.alerts.delivery import Delivery
    from totalml.prediction_log.housekeeping import Housekeeping
    from totalml.serving.answering import Answering
    from totalml.serving.feedback import Feedback
    from totalml.serving.figures import Figures
    from totalml.serving.judging import Judging
    from totalml.serving.limits import Limits
    from totalml.serving.prediction_log import PredictionLog
    from totalml.serving.traces import Traces
    from totalml.serving.watching import Watching


class _Part(Protocol):
    def start(self) -> None: ...

    def stop(self) -> None: ...


@dataclass(frozen=True)
class Service:
    """Args:
    token: that callers must show; empty: none.
    log: None: predictions are not kept.
    feedback: None: nor are labels.
    housekeeping: of the log; None: others do it.
    judging: None: what is followed has no challenger.
    traces: None: there are none.
    watching, alerting: None: what is followed asks for no monitor.
    """

    live: Answering
    limits: Limits
    token: str
    log: PredictionLog | None
    figures: Figures
    feedback: Feedback | None = None
    housekeeping: Housekeeping | None = None
    judging: Judging | None = None
    traces: Traces | None = None
    watching: Watching | None = None
    alerting: Delivery | None = None

    @cached_property
    def arms(self) -> Arms:
        return Arms(self.live, self.limits, self.figures, self.log)

    def start(self) -> None:
        for part in reversed(self._parts()):
            part.start()

    def stop(self) -> None:
        """After what was accepted has been answered and kept, or when that takes too long."""
        for part in self._parts():
            part.stop()
        if self.traces is not None:
            self.traces.stop()

    def _parts(self) -> list[_Part]:
        """In the order in which they stop: what decides, what answers, and then what keeps what was answered."""
        deciding: list[_Part | None] = [self.judging, self.watching, self.alerting]
        there = [*deciding, self.live, self.arms, self.log, self.feedback, self.housekeeping]
        return [part for part in there if part is not None]
