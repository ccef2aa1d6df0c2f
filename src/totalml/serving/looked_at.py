"""What a model looked at in some of the requests that it answered: asked after their callers were served."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.deployment.stages import SHADOW
from totalml.prediction_log.sampled_pictures import is_sampled
from totalml.serving.exchange import Answered
from totalml.terminal import say

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.release.scorer import Scorer
    from totalml.serving.logged import Noted

    Summaries = dict[str, NDArray[np.float32]]


class LookedAt:
    """Args:
    share: of the requests, by a hash of their ids, so that each replica asks of the same.

    Attributes:
        seconds: of CPU that were spent on it so far.
    """

    def __init__(self, share: float) -> None:
        self._share, self.seconds = share, 0.0

    def of(self, some: Sequence[Noted]) -> list[Summaries]:
        """Of each, as `Scorer.attribution`, NaN where it was not asked.

        Empty where there is no answer, or the model does not tell.
        """
        if not self._share:
            return [{} for _ in some]
        since = time.thread_time()
        found: list[Summaries] = []
        asked: dict[Scorer, list[tuple[Answered, Summaries]]] = defaultdict(list)
        for noted in some:
            found.append({})
            if isinstance(noted.ended, Answered):
                scorer, count = noted.arm.loaded.scorer, noted.ended.count
                found[-1] |= {name: np.full(count, np.nan, np.float32) for name in scorer.attributions}
                if found[-1] and noted.arm.name != SHADOW and is_sampled(noted.asked.request_id, self._share):
                    asked[scorer].append((noted.ended, found[-1]))
        for scorer, few in asked.items():
            _fill(scorer, few)
        self.seconds += time.thread_time() - since
        return found


def _fill(scorer: Scorer, asked: Sequence[tuple[Answered, Summaries]]) -> None:
    """All at once. What goes wrong is told, and the rows are kept without it."""
    try:
        inputs = [answered.inputs for answered, _ in asked]
        told = scorer.attribution({name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]})
    except Exception as error:
        say(f"what the model looked at is not known of {len(asked)} requests: {error}")
        return
    first = 0
    for answered, found in asked:
        for name, values in told.items():
            found[name][:] = values[first : first + answered.count]
        first += answered.count
