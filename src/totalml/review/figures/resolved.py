"""What people say of each item together, by the recipe's policy."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from totalml.identity import canonical
from totalml.review.figures.reviewers import gold_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from totalml.recipe.review import Policy
    from totalml.review.figures.judgements import Judgements
    from totalml.review.said import Verdict

PRIOR_WRONG, PRIOR_RIGHT = 1, 9  # gold that everybody is taken to have judged before


def resolved(judged: Judgements, policy: Policy) -> dict[str, Mapping[str, Any] | None]:
    """Of items that somebody gave a label, or could not: item -> column of the truth -> value; None: nobody knows.

    Who cannot tell has no vote. `weighted` gives each reviewer the log-odds of being right on gold.
    """
    trust = dict.fromkeys(judged.by_reviewer(), 1.0)
    if policy == "weighted":
        trust = {who: _log_odds(*gold_errors(mine, judged)) for who, mine in judged.by_reviewer().items()}
    return {item: _of(verdicts, policy, trust) for item, verdicts in judged.by_item().items()}


def _of(verdicts: Sequence[Verdict], policy: Policy, trust: Mapping[str, float]) -> Mapping[str, Any] | None:
    labels: dict[bytes, Mapping[str, Any]] = {}
    votes: dict[bytes, float] = defaultdict(float)
    for each in verdicts:
        if each.label is not None:
            key = canonical(dict(each.label))
            labels[key] = each.label
            votes[key] += trust[each.who]
    ranked = sorted(votes, key=votes.__getitem__, reverse=True)
    if not ranked or (policy == "unanimous" and len(ranked) > 1):
        return None
    if policy == "majority" and 2 * votes[ranked[0]] <= sum(votes.values()):
        return None
    tied = len(ranked) > 1 and votes[ranked[0]] == votes[ranked[1]]
    return None if tied else labels[ranked[0]]


def _log_odds(wrong: int, gold: int) -> float:
    return math.log((gold - wrong + PRIOR_RIGHT) / (wrong + PRIOR_WRONG))
