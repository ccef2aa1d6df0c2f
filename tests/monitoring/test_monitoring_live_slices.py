import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from totalml.errors import DataError
from totalml.monitoring import AttributionTest, LiveSlices, SlicesResult
from totalml.monitoring.attribution import chance_of_gap, largest_gap


def log(seed: int, count: int = 1500, **changed: float) -> pa.Table:
    """Args: changed: of people under thirty the share of errors, `wrong`, and of what is called `good`."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, count)
    young = age < 30
    said = np.where(rng.random(count) < np.where(young, changed.get("good", 0.6), 0.6), "good", "bad")
    wrong = rng.random(count) < np.where(young, changed.get("wrong", 0.1), 0.1)
    return pa.table(
        {
            "metadata:age": age,
            "metadata:camera": rng.choice(["phone", "tablet"], count),
            "answer:predicted": said,
            "answer:confidence": rng.beta(9, 1, count),
            "label:label": np.where(wrong, np.where(said == "good", "bad", "good"), said),
        }
    )


def result_of(window: pa.Table, **settings: object) -> SlicesResult:
    slices = LiveSlices.fit(log(0, 4000), ["age", "camera"], edges={"age": [30, 60]}, positive="good", **settings)
    return slices.test(window)


def found(result: SlicesResult) -> set[tuple[str, str]]:
    return {(each.slice, each.figure) for each in result.findings}


def test_slices_like_those_of_the_reference_have_no_findings():
    told = [found(result_of(log(seed, 400), level=0.05)) for seed in range(1, 31)]
    assert sum(map(bool, told)) <= 5  # 1.5 expected
    assert len(result_of(log(1)).figures) == 3 * (1 + 3 + 2)


@pytest.mark.parametrize(
    ("changed", "figure", "value", "reference"),
    [({"wrong": 0.4}, "error", 0.4, 0.1), ({"good": 0.2}, "selection rate", 0.2, 0.6)],
)
def test_what_changed_of_one_slice_is_told_of_it(changed, figure, value, reference):
    result = result_of(log(1, **changed))
    assert ("age below 30", figure) in found(result)
    assert not {slice_ for slice_, _ in found(result)} - {"age below 30", "all", "camera phone", "camera tablet"}
    (told,) = (each for each in result.findings if (each.slice, each.figure) == ("age below 30", figure))
    assert (told.value, told.reference) == (pytest.approx(value, abs=0.06), pytest.approx(reference, abs=0.03))
    assert told.words.startswith(f"{figure} of age below 30: ")


def test_answers_without_a_confidence_have_all_figures_but_its_calibration():
    before, now = (
        log(seed, 4000, **changed).drop_columns("answer:confidence") for seed, changed in ((0, {}), (1, {"wrong": 0.4}))
    )
    result = LiveSlices.fit(before, ["camera"], positive="good").test(now)
    assert {each.figure for each in result.figures} == {"error", "selection rate"}
    assert ("all", "error") in found(result)


def test_confidence_that_is_worth_less_is_a_gap_of_calibration():
    assert ("age below 30", "calibration gap") in found(result_of(log(1, wrong=0.4)))


def test_without_labels_the_selection_rate_alone_is_asked_for():
    result = result_of(log(1, good=0.2).drop_columns(["label:label"]))
    assert {each.figure for each in result.figures} == {"selection rate"}
    assert ("age below 30", "selection rate") in found(result)


def test_slices_of_too_few_rows_are_not_looked_at():
    assert {each.slice for each in result_of(log(1, 60), least=50).figures} == {"all"}
    assert result_of(log(1, 20)).figures == ()
    assert result_of(log(1, 20)).p == 1


def test_of_several_labels_each_has_its_figures():
    table = pa.table(
        {
            "camera": ["phone"] * 100,
            "answer:predicted": pa.array([["froth"]] * 50 + [[]] * 50, pa.list_(pa.string())),
            "answer:p:froth": [0.9] * 50 + [0.1] * 50,
            "labels": pa.array([["froth"]] * 40 + [[]] * 60, pa.list_(pa.string())),
        }
    )
    figures = {each.figure: each.value for each in LiveSlices.fit(table, []).test(table).figures}
    assert figures == {
        "error of froth": pytest.approx(0.1),
        "calibration gap of froth": pytest.approx(0.0),
        "selection rate of froth": pytest.approx(0.5),
    }


def test_a_reference_without_answers_or_columns_is_refused():
    with pytest.raises(DataError, match="slices have no figures"):
        LiveSlices.fit(pa.table({"x": [1]}), [])
    with pytest.raises(DataError, match="did you mean 'age'"):
        LiveSlices.fit(log(0), ["agee"])


SMALL = LiveSlices.fit(log(0, 200), ["age"], least=2, positive="good")


@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.sampled_from(["good", "bad", "new"])),
            st.one_of(st.none(), st.floats()),
            st.one_of(st.none(), st.sampled_from(["good", "bad"])),
            st.one_of(st.none(), st.floats()),
        ),
        max_size=12,
    )
)
@settings(max_examples=40, deadline=None)
def test_any_window_has_figures_that_are_shares(rows):
    names, types = ("answer:predicted", "answer:confidence", "label:label", "metadata:age"), "sfsf"
    kinds = {"s": pa.string(), "f": pa.float64()}
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    table = {name: pa.array(list(each), kinds[kind]) for name, each, kind in zip(names, columns, types, strict=True)}
    result = SMALL.test(pa.table(table))
    assert all(0 <= each.p <= 1 for each in result.figures)


def test_attribution_that_leaves_the_subject_is_told_and_like_attribution_is_not():
    rng = np.random.default_rng(0)

    def maps(count: int, subject: float) -> dict[str, np.ndarray]:
        return {"on the subject": rng.beta(subject, 3, count), "entropy": rng.normal(5, 1, count)}

    test = AttributionTest.fit(maps(500, 7))
    moved = test.test(maps(80, 3))
    assert (moved.moves[0].name, moved.p < 0.001) == ("on the subject", True)
    assert moved.moves[0].now < moved.moves[0].before
    assert moved.moves[1].p > 0.01
    false_alarms = [test.test(maps(40, 7)).p <= 0.05 for _ in range(200)]
    assert np.mean(false_alarms) <= 0.09
    assert test.test(maps(4, 7)).too_few == 6


def test_the_gap_and_its_chance_are_those_of_scipy():
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(0)
    for known, now in ((12, 15), (400, 30), (50, 900)):
        first, second = np.sort(rng.normal(size=known)), np.sort(rng.normal(0.3, size=now))
        theirs = stats.ks_2samp(first, second, method="exact")
        gap = largest_gap(first, second)
        assert gap == pytest.approx(theirs.statistic)
        assert chance_of_gap(gap, known, now) == pytest.approx(theirs.pvalue, abs=0.03)
