"""Who scores a request: what answers all, or the challenger beside it; and who is told how it ended."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from totalml.deployment.stages import SHADOW
from totalml.errors import ModelError
from totalml.serving.batcher import Batcher

if TYPE_CHECKING:
    from totalml.release.scorer import Scored
    from totalml.serving.answering import Answering, Beside
    from totalml.serving.exchange import Answered, Arm, Asked
    from totalml.serving.figures import Figures
    from totalml.serving.limits import Limits
    from totalml.serving.prediction_log import PredictionLog


class Arms:
    """Each has a thread of its own, so that a challenger, however slow, keeps nobody waiting but those it answers;
    and where these become so many that none could come in any more, what answers the rest answers them too.

    Args:
        log: None: predictions are not kept.
    """

    def __init__(self, live: Answering, limits: Limits, figures: Figures, log: PredictionLog | None) -> None:
        self._live, self._limits, self._figures, self._log = live, limits, figures, log
        self._given = 0  # to the challenger, and not answered yet
        self._first = Batcher("score", lambda: live.arm, limits, self)
        self._second = Batcher("score challenger", lambda: live.second_arm, limits, self)

    def start(self) -> None:
        self._first.start()
        self._second.start()

    def stop(self) -> None:
        """After what waits has been answered, or when it takes too long."""
        self._first.stop()
        self._second.stop()

    async def answer(self, asked: Asked) -> Answered:
        """Raises: as `Batcher.answer`."""
        beside = self._live.beside
        if beside is None or not beside.answers:
            return await self._first.answer(asked)
        if asked.release:
            given = asked.release == beside.arm.loaded.release
        else:
            asked.share, given = beside.share, beside.is_given(asked.request_id)
            if given and self._given >= self._most(beside):
                self.failed(replace(asked), beside.arm, ModelError("too many wait for the challenger already"))
                asked.share, given = 0.0, False  # what it cannot do tells nothing of what answers instead
        if not given:
            return await self._first.answer(asked)
        self._given += 1
        try:
            return await self._second.answer(asked)
        finally:
            self._given -= 1

    def _most(self, beside: Beside) -> float:
        """Requests that may wait for it: a few slots stay for others, and one as quick as they never has so many."""
        return self._limits.at_once * (1 + beside.share) / 2

    def scored(self, arm: Arm, scored: Scored) -> None:
        figures, release, count = self._figures, arm.loaded.release, len(scored.scores)
        if arm.name == SHADOW:
            figures.shadowed.labels(release).inc(count)
            return
        figures.samples.labels(release).inc(count)
        if scored.strange is not None:
            figures.strange.labels(release).inc(int(scored.strange.sum()))

    def done(self, asked: Asked, answered: Answered) -> None:
        if answered.arm.name != SHADOW:
            self._figures.batch.observe(answered.count)
        if self._log is not None:
            self._log.add(asked, answered)
        self._shadow(asked, answered.arm, answered)

    def failed(self, asked: Asked, arm: Arm, error: Exception) -> None:
        if arm.name == SHADOW:
            self._figures.shadowed.labels(arm.loaded.release).inc(len(asked.ids))
        if self._log is not None:
            self._log.add_failed(asked, arm, error)
        self._shadow(asked, arm)

    def _shadow(self, asked: Asked, arm: Arm, answered: Answered | None = None) -> None:
        """The same for the shadow, after its caller was served."""
        beside = self._live.beside
        if beside is None or beside.answers or arm.name == SHADOW:
            return
        if not self._second.offer(replace(asked, seen=answered)):
            self._figures.unshadowed.inc(len(asked.ids))
