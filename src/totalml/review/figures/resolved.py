"""What people say of each item together, by the recipe's policy."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.identity import canonical
from totalml.review.medians import agreed_numbers, are_numbers
from totalml.review.resolve import count_labels, resolve, reviewer_accuracies
from totalml.review.said import WRONG_SUBJECT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from totalml.recipe.review import ReviewRecipe
    from totalml.review.figures.judgements import Judgements

Label = dict[str, Any]  # column of the truth -> value


@dataclass(frozen=True)
class Resolution:
    """Args:
    label: None: undecided, or nobody could tell.
    votes: how many people gave a label; who cannot tell, or sees another subject, has none.
    shares: label -> how likely it is, of 1, in the order of what is written; none without votes.
    wrong_subject: most of those who judged it say that it shows something else.
    """

    label: Label | None
    votes: int
    shares: tuple[tuple[Label, float], ...] = ()
    wrong_subject: bool = False


def resolved(judged: Judgements, settings: ReviewRecipe) -> dict[str, Mapping[str, Any] | None]:
    """Of items that somebody judged: item -> column of the truth -> value; None: nobody knows."""
    return {item: each.label for item, each in resolutions(judged, settings).items()}


def resolutions(judged: Judgements, settings: ReviewRecipe) -> dict[str, Resolution]:
    """Of items that somebody judged: item -> what comes of it.

    `weighted` learns how right each reviewer is from gold items and from what the others say of the same ones.
    """
    by_item, policy = judged.by_item(), settings.policy
    votes = {item: {each.who: _text(each.label) for each in said if each.label} for item, said in by_item.items()}
    voted = {item: each for item, each in votes.items() if each}
    labels = count_labels(said for each in voted.values() for said in each.values())
    gold = {item: _text(truth) for item, truth in judged.truths.items() if item in voted}
    accuracies = reviewer_accuracies(voted, gold, labels) if policy == "weighted" else {}
    found = {}
    for item, said in by_item.items():
        strangers = Counter(WRONG_SUBJECT in each.answer for each in said)[True]
        if 2 * strangers > len(said) or not votes[item]:
            found[item] = Resolution(None, len(votes[item]), wrong_subject=2 * strangers > len(said))
            continue
        if are_numbers(given := [dict(each.label) for each in said if each.label]):
            middle, share, decided = agreed_numbers(given, settings)
            found[item] = Resolution(middle if decided else None, len(votes[item]), ((middle, share),))
            continue
        together = resolve(votes[item], policy, accuracies, labels)
        label = None if together.label is None else json.loads(together.label)
        shares = tuple((json.loads(text), share) for text, share in together.shares.items())
        found[item] = Resolution(label, len(votes[item]), shares)
    return found


def _text(label: Mapping[str, Any] | None) -> str:
    return canonical(dict(label or {})).decode()
