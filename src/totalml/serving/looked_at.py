"""What a model looked at in some of the requests that it answered: asked after their callers were served."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from totalml.deployment.stages import SHADOW
from totalml.prediction_log.sampled_pictures import is_sampled
from totalml.release.attribution import of_rows
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
        found: list[Summaries] = [{} for _ in some]
        by_scorer: dict[Scorer, list[tuple[int, Answered, bool]]] = defaultdict(list)
        for place, noted in enumerate(some):
            if isinstance(noted.ended, Answered):
                asked = noted.arm.name != SHADOW and is_sampled(noted.asked.request_id, self._share)
                by_scorer[noted.arm.loaded.scorer].append((place, noted.ended, asked))
        for scorer, answered in by_scorer.items():
            told = _told(scorer, [each for _, each, _ in answered], [asked for _, _, asked in answered])
            for (place, _, _), rows in zip(answered, told, strict=True):
                found[place] = rows
        self.seconds += time.thread_time() - since
        return found


def _told(scorer: Scorer, answered: Sequence[Answered], asked: Sequence[bool]) -> list[Summaries]:
    """Of each request that was answered by this one; all that are asked at once."""
    counts = [each.count for each in answered]
    told = _looked_at(scorer, [each for each, is_asked in zip(answered, asked, strict=True) if is_asked])
    rows = of_rows(scorer.attributions, np.repeat(asked, counts), told)
    parts = {name: np.split(values, np.cumsum(counts)[:-1]) for name, values in rows.items()}
    return [{name: each[place] for name, each in parts.items()} for place in range(len(answered))]


def _looked_at(scorer: Scorer, asked: Sequence[Answered]) -> Summaries:
    """What goes wrong is told, and the rows are kept without it."""
    if not asked or not scorer.attributions:
        return {}
    inputs = [each.inputs for each in asked]
    try:
        return scorer.attribution({name: np.concatenate([each[name] for each in inputs]) for name in inputs[0]})
    except Exception as error:
        say(f"what the model looked at is not known of {len(asked)} requests: {error}")
        return {}
