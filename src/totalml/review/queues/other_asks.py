"""Items that ask for no label: whether a model looks at the right place, errs for one reason, or advises well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.review.item import ASK_CURVE, ASK_EXPLANATION, ASK_PLAN, ASK_SLICE, GIVEN, SLICES, Item
from totalml.review.queues.weights import Where, is_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.plan.record import Plan
    from totalml.review.queues.pool import Pool

SHOWN = 12  # pictures of a slice


def explanation_items(drawn: Sequence[Item]) -> list[Item]:
    """Is this where you would look? Of items with a picture and an answer, which is shown with it, so none is blind."""
    seen = [each for each in drawn if each.pictures and each.answer]
    return [replace(each, ask=ASK_EXPLANATION, queue=GIVEN, truth={}) for each in seen]


def plan_items(plan: Plan, release: str) -> list[Item]:
    """Would you do this, of the whole plan and where it changes something of each lever; is this curve right?

    Args: release: bundle hash of that which planned; it holds all that is shown.
    """
    asks = [(ASK_PLAN, ""), *((ASK_PLAN, name) for name in plan.names if plan.advice.changed)]
    asks += [(ASK_CURVE, name) for name in plan.names]
    return [Item(queue=GIVEN, ask=ask, release=release, note=lever) for ask, lever in asks]


def slice_items(labelled: Pool, losses: NDArray[np.float64], slices: Mapping[str, Where]) -> list[Item]:
    """Does this group fail for the same reason? One item for each slice with errors among samples whose truth is known.

    Args: losses: (N,) as of `LossOf`.
    """
    found = []
    for name, where in slices.items():
        inside = is_in(labelled.table, where)
        wrong = np.flatnonzero(inside & (losses > 0))
        some = labelled.take(wrong[:SHOWN])
        shown = some.items([SLICES] * len(some), [1.0] * len(some), int(inside.sum()), [name] * len(some))
        if pictures := tuple(picture for each in shown for picture in each.pictures):
            facts = {"wrong": len(wrong), "of": int(inside.sum())}
            told = replace(shown[0], ask=ASK_SLICE, sample=None, pictures=pictures, facts=facts)
            found.append(replace(told, answer={}, truth={}, drawn_of=1))
    return found
