"""Digests are stable, typed and blind to spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rfc8785 import CanonicalizationError

from totalml.identity import canonical, canonical_row, config_hash, digest, drawn, run_id

plain_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


def test_golden_digests():
    """Changing one of these breaks every run id that was ever printed: give the domain a new version instead."""
    assert digest("recipe v1", b"") == "blake3:c73ed87f8ccac24b97816a4a123745e3d0bf410f72b53ea90b90a19fcd909da4"
    assert (
        config_hash({"name": "x", "lr": 0.1, "steps": [1, 2.0]})
        == "blake3:5fd1ac9c081db4158f579fd6a03a37969795c73a90542d9b7134cf2b83cc1c90"
    )


def test_a_run_id_is_eight_digits_of_each_hash():
    assert run_id("blake3:" + "a" * 64, "blake3:" + "b" * 64) == "aaaaaaaa-bbbbbbbb"


@given(st.dictionaries(st.text(max_size=5), plain_values, max_size=5))
def test_a_row_is_written_as_any_other_value(row):
    assert canonical_row(row) == canonical(row)


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(0, 2**55).map(float)
near_integers = st.tuples(st.integers(-(10**17), 10**17), st.integers(-8, 17)).map(lambda two: two[0] * 10.0 ** -two[1])


@given(numbers | near_integers)
def test_a_number_of_a_row_is_written_as_anywhere(number):
    assert canonical_row({"x": number}) == canonical({"x": number})


@pytest.mark.parametrize("row", [{"x": float("nan")}, {"x": float("inf")}, {"x": 2**53}, {"x": "\ud800"}, {"x": b""}])
def test_what_no_json_holds_is_refused_in_a_row_too(row):
    for write in (canonical, canonical_row):
        with pytest.raises(CanonicalizationError):
            write(row)


@given(st.dictionaries(st.text(max_size=5), plain_values, max_size=5))
def test_the_order_of_keys_does_not_matter(values):
    assert canonical(values) == canonical(dict(reversed(values.items())))


@given(st.integers(-(2**53) + 1, 2**53 - 1))
def test_an_integer_and_the_same_float_are_one_number(number):
    assert canonical({"n": number}) == canonical({"n": float(number)})


@given(plain_values, plain_values)
def test_different_values_have_different_canonical_forms(one, other):
    same = canonical(one) == canonical(other)
    assert same == (repr_of(one) == repr_of(other))


def repr_of(value):
    """An independent normal form: numbers by value, booleans apart from numbers, dicts as sorted pairs."""
    if isinstance(value, dict):
        return ("dict", tuple(sorted(((key, repr_of(item)) for key, item in value.items()), key=repr)))
    if isinstance(value, list):
        return ("list", tuple(map(repr_of, value)))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return ("number", float(value) + 0.0)
    return (type(value).__name__, value)


def test_the_same_bytes_in_another_domain_have_another_digest():
    assert digest("recipe v1", b"x") != digest("code v1", b"x")


@given(st.binary(max_size=20), st.floats(0, 1))
def test_what_is_drawn_lies_below_a_share_where_its_digits_do(payload, share):
    digits = int(digest("canary v1", payload).removeprefix("blake3:")[:13], 16)
    assert 0 <= drawn("canary v1", payload) < 1
    assert (drawn("canary v1", payload) < share) == (digits < share * 16**13)


def test_what_is_drawn_is_spread_evenly():
    values = sorted(drawn("canary v1", str(number).encode()) for number in range(2000))
    apart = max(abs(value - place / 2000) for place, value in enumerate(values))
    assert apart < 1.95 / 2000**0.5  # Kolmogorov-Smirnov, one in a thousand


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match=r"(?i)nan"):
        canonical({"lr": float("nan")})
