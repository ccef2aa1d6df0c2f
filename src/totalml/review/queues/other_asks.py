"""Items that ask for no label: whether a model looks at the right place, errs for one reason, or advises well."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from totalml.review.item import ASK_EXPLANATION, ASK_PLAN, ASK_SLICE, GIVEN, SLICES, Item
from totalml.review.queues.weights import Where, is_in

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.review.queues.pool import Pool

SHOWN = 12  # pictures of a slice


def explanation_items(drawn: Sequence[Item]) -> list[Item]:
    """Is this where you would look? Of items with a picture and an answer, which is shown with it, so none is blind."""
    seen = [each for each in drawn if each.pictures and each.answer]
    return [replace(each, ask=ASK_EXPLANATION, queue=GIVEN, truth={}) for each in seen]


def plan_items(drawn: Sequence[Item]) -> list[Item]:
    """Would you do this? Of items with facts and an answer, which is what is advised."""
    return [replace(each, ask=ASK_PLAN, queue=GIVEN, truth={}) for each in drawn if each.facts and each.answer]


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
