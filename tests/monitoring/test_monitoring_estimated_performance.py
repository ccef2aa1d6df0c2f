from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import DataError
from totalml.monitoring import Estimate, EstimatedPerformance
from totalml.monitoring.estimated_performance import larger_mean


def answers(seed: int, count: int, *, easy: float = 6.0, worth: float = 1.0) -> pa.Table:
    """Args:
    easy: the more, the surer; worth: of the confidence's distance from a half, how much is true.
    """
    rng = np.random.default_rng(seed)
    confidence = 0.5 + 0.5 * rng.beta(easy, 2, count)
    right = rng.random(count) < 0.5 + (confidence - 0.5) * worth
    said = rng.choice(["bad", "good"], count)
    true = np.where(right, said, np.where(said == "bad", "good", "bad"))
    return pa.table({"answer:predicted": said, "answer:confidence": confidence, "label": true})


def right(table: pa.Table) -> float:
    return float(np.mean(table["answer:predicted"].to_numpy() == table["label"].to_numpy()))


def only(quality: EstimatedPerformance, window: pa.Table) -> Estimate:
    (estimate,) = quality.test(window).estimates
    return estimate


@pytest.mark.parametrize("worth", [1.0, 0.6])
@pytest.mark.parametrize(("count", "easy"), [(20, 6.0), (200, 1.0)])
def test_the_interval_holds_what_labels_show_later_however_far_off_confidence_is(worth, count, easy):
    held = []
    for seed in range(30):
        fitted = EstimatedPerformance.fit(answers(seed, 1500, worth=worth))
        window = answers(seed + 1000, count, easy=easy, worth=worth)
        estimate = only(fitted, window)
        held.append(estimate.low <= right(window) <= estimate.high)
    assert np.mean(held) > 0.87  # of 0.95; 30 windows tell it to four points


def test_harder_samples_are_told_without_labels_and_like_ones_are_not():
    fitted = EstimatedPerformance.fit(answers(0, 1500))
    harder = only(fitted, answers(1, 300, easy=1.0))
    assert harder.p < 0.01
    assert harder.value == pytest.approx(right(answers(2, 20_000, easy=1.0)), abs=0.03)
    assert harder.reference == right(answers(0, 1500))
    assert only(fitted, answers(3, 300)).p > 0.01


def test_changed_labels_are_not_seen_and_it_says_so():
    fitted, window = EstimatedPerformance.fit(answers(0, 1500)), answers(1, 300, worth=-1.0)
    estimate = only(fitted, window)
    assert estimate.p > 0.01
    assert right(window) < estimate.low
    assert "cannot see" in estimate.words
    assert "P(y|x)" in estimate.words


def test_labels_of_a_window_are_not_looked_at():
    fitted, window = EstimatedPerformance.fit(answers(0, 1500)), answers(1, 300)
    assert fitted.test(window) == fitted.test(window.drop_columns(["label"]))


def test_each_of_several_labels_is_estimated_by_itself():
    rng = np.random.default_rng(0)
    chances = {"froth": rng.beta(1, 4, 1000), "spill": rng.beta(1, 1, 1000)}
    holds = {label: rng.random(1000) < chance for label, chance in chances.items()}
    truth = [";".join(label for label in holds if holds[label][row]) for row in range(1000)]
    said = [[label for label in holds if chances[label][row] > 0.5] for row in range(1000)]
    columns = {"answer:predicted": pa.array(said, pa.list_(pa.string())), "metadata:tags": truth}
    table = pa.table(columns | {f"answer:p:{label}": chance for label, chance in chances.items()})
    found = EstimatedPerformance.fit(table, truth="metadata:tags").test(table).estimates
    values = {each.name: (each.value, each.reference) for each in found}
    for label, chance in chances.items():
        expected = np.mean((chance > 0.5) == holds[label])
        assert values[f"accuracy of {label}"] == pytest.approx((expected, expected), abs=0.01)


def test_wider_intervals_of_numbers_are_told():
    rng = np.random.default_rng(0)

    def numbers(count: int, scale: float) -> pa.Table:
        middle, half = rng.normal(size=count), scale * rng.gamma(4, 1, count)
        return pa.table({"answer:lower:price": middle - half, "answer:upper:price": middle + half})

    fitted = EstimatedPerformance.fit(numbers(800, 1.0))
    wide, alike = (only(fitted, numbers(100, scale)) for scale in (1.5, 1.0))
    assert (wide.name, wide.p < 0.01 < alike.p) == ("width of price", True)
    assert wide.low < wide.value < wide.high
    assert wide.value == pytest.approx(12, rel=0.15)


@pytest.mark.parametrize(("now", "before"), [(30, 60), (60, 30), (400, 4000)])
def test_the_chance_of_a_larger_mean_is_even(now, before):
    chances = []
    for seed in range(50):
        rng = np.random.default_rng(seed)
        chances.append(larger_mean(rng.beta(8, 1, now), rng.beta(8, 1, before), rng))
    assert 0.35 < np.mean(chances) < 0.65
    assert np.mean(np.array(chances) <= 0.05) <= 0.14


def test_the_chance_of_a_larger_mean_is_that_of_every_order():
    values = np.array([1.0, 2.0, 2.0, 5.0, 7.0, 11.0, 3.0, 0.0])
    sums = [values[list(some)].sum() for some in combinations(range(8), 3)]
    for some in [(0, 1, 7), (3, 4, 6), (3, 4, 5)]:
        others = [place for place in range(8) if place not in some]
        found = larger_mean(values[list(some)], values[others], np.random.default_rng(0))
        assert found == pytest.approx(np.mean(np.array(sums) >= values[list(some)].sum()), abs=0.04)


def test_a_reference_that_says_nothing_is_refused():
    with pytest.raises(DataError, match="neither answer:predicted"):
        EstimatedPerformance.fit(pa.table({"x": [1]}))
    with pytest.raises(DataError, match="no row with an answer and its label"):
        EstimatedPerformance.fit(answers(0, 10).drop_columns(["label"]))
    with pytest.raises(DataError, match="no column 'tags'"):
        EstimatedPerformance.fit(answers(0, 10), truth="tags")


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 1), st.sampled_from([np.nan, np.inf])), max_size=20),
    st.integers(1, 40),
)
@settings(max_examples=40, deadline=None)
def test_any_window_is_estimated_within_its_bounds(confidence, known):
    window = pa.table(
        {"answer:confidence": pa.array(confidence, pa.float64()), "answer:predicted": ["?"] * len(confidence)}
    )
    result = EstimatedPerformance.fit(answers(0, known)).test(window)
    assert 0 <= result.p <= 1
    for each in result.estimates:
        assert 0 <= each.low <= each.high <= 1
        assert 0 <= each.value <= 1
