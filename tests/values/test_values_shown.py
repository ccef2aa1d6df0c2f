"""Numbers are shown in the way that people write them."""

import pytest

from totalml.values.shown import short_number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (12.345, "12.35"),
        (-0.00012345, "-0.0001234"),
        (0.0, "0"),
        (999.94, "999.9"),
        (999.96, "1,000"),
        (-30421.3, "-30,421"),
        (1234567.8, "1,234,568"),
        (3e15, "3e+15"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
    ],
)
def test_a_number_has_four_digits_or_is_whole(value, shown):
    assert short_number(value) == shown
