"""What comes of an item: who cannot tell has no vote, and what shows something else has no label."""

from __future__ import annotations

import pytest

from tests.review.asked import item
from tests.review.judged import judgements, verdict
from totalml.recipe.review import ReviewRecipe
from totalml.review.figures.resolved import resolutions


def test_who_cannot_tell_has_no_vote():
    about = item(1)
    said = [(about, verdict(about, label, who)) for who, label in (("ann", "good"), ("bob", None), ("cleo", None))]
    (found,) = resolutions(judgements(*said), ReviewRecipe(policy="unanimous")).values()
    assert (found.label, found.votes, found.wrong_subject) == ({"label": "good"}, 1, False)


@pytest.mark.parametrize(("strangers", "expected"), [(1, {"label": "good"}), (2, None)])
def test_another_subject_counts_once_most_people_see_it(strangers, expected):
    about = item(1)
    said = [(about, verdict(about, "good", "ann"))]
    said += [(about, verdict(about, None, f"w{n}", answer={"wrong_subject": True})) for n in range(strangers)]
    (found,) = resolutions(judgements(*said), ReviewRecipe(policy="majority")).values()
    assert (found.label, found.wrong_subject) == (expected, expected is None)


def test_undecided_items_keep_how_likely_each_label_is():
    about = item(1)
    said = [(about, verdict(about, label, who)) for who, label in (("ann", "good"), ("bob", "bad"))]
    (found,) = resolutions(judgements(*said), ReviewRecipe(policy="majority")).values()
    assert found.label is None
    assert found.shares == (({"label": "bad"}, 0.5), ({"label": "good"}, 0.5))
