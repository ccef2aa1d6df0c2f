"""Several verdicts of one item become a label, by the policy that the recipe names.

How right a reviewer is, is learnt from gold items and from what the others say of the same ones: Dawid and Skene's
model with one accuracy a reviewer. Gold alone says too little of somebody who has met five of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log

from totalml.recipe.review import Policy

# A reviewer of whom nothing is known is right four times in five: as sure as five items say it.
PRIOR_RIGHT, PRIOR_WRONG = 4.0, 1.0
ROUNDS = 20  # of learning; the labels of a thousand simulated items stood still after seven

Votes = Mapping[str, str]  # reviewer -> what they say
Shares = Mapping[str, float]  # what was said -> how likely, of 1


@dataclass(frozen=True)
class Resolved:
    """Args:
    label: None: undecided.
    shares: of each label that anybody gave; by `weighted` how likely it is, else the share of the people.
    """

    label: str | None
    shares: Shares


def resolve(votes: Votes, policy: Policy, accuracies: Mapping[str, float], labels: int = 2) -> Resolved:
    """Args:
        votes: at least one.
        accuracies: of `reviewer_accuracies`; only `weighted` asks for them.
        labels: how many there are to choose from.
    Returns: of a tie undecided; by `unanimous`, wherever two differ.
    """
    if policy == "weighted":
        shares = _likelihoods(votes, accuracies, labels)
    else:
        shares = {said: sum(each == said for each in votes.values()) / len(votes) for said in sorted({*votes.values()})}
    highest = max(shares.values())
    first = [said for said, share in shares.items() if abs(share - highest) < 1e-9]
    decided = len(shares) == 1 if policy == "unanimous" else len(first) == 1
    # A lone vote of somebody who is mostly wrong makes another label likelier, whichever that is.
    decided &= policy != "weighted" or highest > 1 / labels + 1e-9
    return Resolved(first[0] if decided else None, shares)


def reviewer_accuracies(votes: Mapping[str, Votes], gold: Mapping[str, str], labels: int = 2) -> dict[str, float]:
    """Reviewer -> how often they are right, between 0 and 1.

    Args:
        votes: item -> its votes; gold items too.
        gold: item -> what is known to be true.
    Source: Dawid and Skene 1979, with one accuracy a reviewer and a Beta prior.
    """
    people = sorted({who for each in votes.values() for who in each})
    accuracies = dict.fromkeys(people, PRIOR_RIGHT / (PRIOR_RIGHT + PRIOR_WRONG))
    for _ in range(ROUNDS):
        right, seen = dict.fromkeys(people, PRIOR_RIGHT), dict.fromkeys(people, PRIOR_RIGHT + PRIOR_WRONG)
        for item, given in votes.items():
            if item in gold:
                shares: Shares = {gold[item]: 1.0}
            elif len(given) > 1:  # one alone agrees with themselves
                shares = _likelihoods(given, accuracies, labels)
            else:
                continue
            for who, said in given.items():
                right[who] += shares.get(said, 0.0)
                seen[who] += 1
        accuracies = {who: right[who] / seen[who] for who in people}
    return accuracies


def count_labels(said: Iterable[str]) -> int:
    return max(2, len({*said}))


def _likelihoods(votes: Votes, accuracies: Mapping[str, float], labels: int) -> dict[str, float]:
    """Of each label that was given, where whoever errs gives any of the others as likely."""
    scores = dict.fromkeys(sorted({*votes.values()}), 0.0)
    for who, said in votes.items():
        accuracy = accuracies[who]
        scores[said] += log(accuracy / (1 - accuracy)) + log(labels - 1)
    odds = {said: exp(min(score, 500.0)) for said, score in scores.items()}
    total = sum(odds.values()) + max(0, labels - len(odds))
    return {said: each / total for said, each in odds.items()}
