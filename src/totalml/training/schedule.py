"""Learning rate schedules that need not be told how long training is."""

import math
from typing import Annotated

from pydantic import Field

from totalml.kinds import Schedule
from totalml.recipe import Share


class WarmupCosine(Schedule):
    """Rises in a line from zero, then falls to `final` along half a cosine."""

    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1  # share of all steps
    final: Share = 0.0  # factor at the end

    def factor(self, share: float) -> float:
        if share < self.warmup:
            return share / self.warmup
        fallen = min(1.0, (share - self.warmup) / (1 - self.warmup))
        return self.final + (1 - self.final) * (1 + math.cos(math.pi * fallen)) / 2
