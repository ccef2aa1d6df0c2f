"""Which components of two lists are the same one, changed or not.

The longest common subsequence by `_target_`, where an equal component counts for more than one of the same class; so a
component put in front of a list is one addition and not a change of every one behind it.
"""

from typing import Any

EQUAL, SAME_CLASS = 3, 2  # two components of the same class must beat one that is equal
Items = list[dict[str, Any]]


def aligned(old: Items, new: Items) -> list[tuple[int, int]]:
    """Pairs of (index in old, index in new), ascending in both."""
    if repr(old) > repr(new):  # ties are decided the same way from either side
        return [(mine, theirs) for theirs, mine in _pairs(new, old)]
    return _pairs(old, new)


def _pairs(old: Items, new: Items) -> list[tuple[int, int]]:
    best = _best_scores(old, new)
    pairs, i, j = [], 0, 0
    while i < len(old) and j < len(new):
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def _best_scores(old: Items, new: Items) -> list[list[int]]:
    """[i][j]: the best score that old[i:] and new[j:] can reach."""
    best = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i in reversed(range(len(old))):
        for j in reversed(range(len(new))):
            score = _score(old[i], new[j])
            together = best[i + 1][j + 1] + score if score else 0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], together)
    return best


def _score(one: dict[str, Any], other: dict[str, Any]) -> int:
    if one.get("_target_") != other.get("_target_"):
        return 0
    return EQUAL if one == other else SAME_CLASS
