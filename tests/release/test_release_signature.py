"""What may take the place of a release whose callers are there already."""

from dataclasses import replace

import pytest

from totalml.features.shared.frozen import Frozen
from totalml.release.signature import Signature

PICTURE = {"size": 64, "fit": "crop", "colour": "RGB"}
OLD = Signature(
    task="classification",
    targets=("bad", "good"),
    picture=PICTURE,
    max_megapixels=50.0,
    numeric=("age",),
    categorical={"pub": ("a", "b")},
    made=(),
    answers={"predicted": "string", "p:bad": "double"},
    units={"bad": "mm"},
)
LAGS = Frozen(
    "pubs/age", ("pubs/age.lag0", "pubs/age.lag1"), ("age_now",), ("pub",), {"source": None}, "shared-0.latest", 5
)
MADE = replace(OLD, numeric=("age", *LAGS.columns), shared=(LAGS,))


def test_it_survives_the_way_through_json():
    import json

    for each in (OLD, MADE):
        assert Signature.from_json(json.loads(json.dumps(each.as_json()))) == each


def test_a_row_may_have_what_the_model_sees_and_what_that_is_made_of():
    kinds = {"age": "number", "pubs/age.lag0": "number", "pubs/age.lag1": "number", "pub": "text"}
    assert MADE.takes == kinds | {"timestamp": "text", "age_now": "number"}
    assert MADE.only_for_shared == ("timestamp", "age_now")


def test_callers_that_bring_what_a_feature_is_made_of_are_not_let_down():
    wider = replace(LAGS, numbers=("age_now", "height"))
    for new in (replace(MADE, shared=()), replace(MADE, shared=(wider,))):
        assert new.misfits(MADE) == ["it does not make of the same columns: pubs/age"]
    for new in (MADE, OLD, replace(MADE, shared=(replace(LAGS, entity=()),))):
        assert new.misfits(MADE) == []


@pytest.mark.parametrize(
    "new",
    [
        OLD,
        replace(OLD, picture={**PICTURE, "size": 128}),  # the service scales for it
        replace(OLD, picture=None),
        replace(OLD, numeric=()),
        replace(OLD, categorical={"pub": ("a", "b", "c")}),
        replace(OLD, answers={**OLD.answers, "confidence": "double"}),
    ],
)
def test_what_asks_for_no_more_and_answers_no_less_fits(new):
    assert new.misfits(OLD) == []


@pytest.mark.parametrize(
    ("new", "told"),
    [
        (replace(OLD, task="regression"), "its task is regression, not classification"),
        (replace(OLD, targets=("bad", "fair", "good")), "it predicts bad, fair, good, not bad, good"),
        (replace(OLD, numeric=("age", "height")), "it wants further columns: height"),
        (replace(OLD, numeric=("pub",), categorical={"age": ()}), "in one and words in the other: age, pub"),
        (replace(OLD, answers={"predicted": "string"}), r"its answer lacks p:bad \(double\)"),
        (replace(OLD, answers={**OLD.answers, "p:bad": "string"}), r"its answer lacks p:bad \(double\)"),
        (replace(OLD, units={"bad": "cm"}), "other units: bad"),
    ],
)
def test_what_would_let_callers_down_is_told(new, told):
    import re

    assert any(re.search(told, misfit) for misfit in new.misfits(OLD))


def test_a_picture_that_was_not_asked_for_before_is_told():
    assert replace(OLD, picture=None).misfits(OLD) == []
    assert OLD.misfits(replace(OLD, picture=None)) == ["it wants a picture"]
