"""What the page says of slices, groups and confidence: planted faults by name, and nothing without one."""

import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from totalml.evaluation import Evaluation, SampleContext
from totalml.evaluation.calibration.temperature import COLDEST, HOTTEST, fit_temperature
from totalml.report.page import LIMIT_BYTES, render

RECIPE = {
    "positive": "good",
    "slices": {"columns": ["age_group", "light"]},
    "fairness": {"columns": ["age_group"]},
    "calibration": {"costs": {"good": {"bad": 1.0}, "bad": {"good": 3.0}}},
}
AGES = np.array(["18-25", "26-40", "41+"])


def text_of(content):
    page = render(content).decode()
    text = re.sub(r"<[^>]*>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))
    text = text.replace("\N{NARROW NO-BREAK SPACE}", " ")
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))


def summary_of(content):
    return text_of(content).partition("most wrong")[0].partition("Right for")[2]


def standing(labels, probabilities, ages=AGES, recipe=RECIPE, validation=True):
    """Groups that have nothing to do with the model's mistakes, unless `ages` says so."""
    chance = np.random.default_rng(7)
    age = ages(labels, probabilities) if callable(ages) else ages[chance.integers(0, len(ages), len(labels))]
    fitted = (labels, probabilities) if validation else None
    table = pa.table({"age_group": age})
    return recipe, SampleContext(table, np.arange(len(labels)), chance.random(len(labels))), fitted


def old_where_wrong(labels, probabilities):
    """Of the mistakes two thirds are with people of 41 and more, of the rest one in ten."""
    chance = np.random.default_rng(8)
    wrong = probabilities.argmax(1) != labels
    old = chance.random(len(labels)) < np.where(wrong, 0.67, 0.1)
    return np.where(old, "41+", AGES[chance.integers(0, 2, len(labels))])


def with_old_wrong(labels, probabilities):
    return standing(labels, probabilities, old_where_wrong)


def test_a_slice_that_fails_stands_on_the_first_screen(content_of):
    summary = summary_of(content_of(samples=800, beside=with_old_wrong))
    assert re.search(r"; less often for age group 41\+ \( ?\d+ of 100\)\.", summary)
    assert "Clearly less often right for age group 41+: " in summary
    assert "group 41+ is worse" in text_of(content_of(samples=800, beside=with_old_wrong))


def test_an_even_model_has_no_slice_on_the_first_screen(content_of):
    content = content_of(samples=400, beside=standing)
    summary = summary_of(content)
    assert "less often" not in summary
    assert re.search(r"Among \d+ groups of pictures none is clearly harder for it", summary)
    assert not re.search(r"(light|group [0-9+-]+) is worse", text_of(content))
    assert "By age group: no clear difference of more than 10 points." in summary


def test_unequal_treatment_stands_on_the_first_screen(content_of):
    summary = summary_of(content_of(samples=800, beside=with_old_wrong))
    assert "Does not treat all alike. It says “ good ” where that is" in summary


def sure(labels, probabilities):
    probabilities[:] = np.where(probabilities > 0.5, 0.99, 0.01)
    return standing(labels, probabilities)


def test_a_model_that_is_too_sure_is_told_and_its_temperature_too(content_of):
    content = content_of(samples=800, beside=sure)
    assert "It is too sure of itself: 99.0 % sure on average" in summary_of(content)
    text = text_of(content)
    assert "beyond the 5 points that the recipe tolerates" in text
    temperature = content.evaluation.confidence_check.temperature.value
    assert temperature.low > 1
    assert f"Divided by {temperature.value:.2f}" in text


def test_a_temperature_that_the_validation_split_cannot_tell_is_not_told(content_of):
    """Of four samples one is wrong by a hair, so a fit exists but every temperature searched is in its interval."""
    content = content_of(samples=800, beside=sure)
    check = content.evaluation.confidence_check
    first = np.array([0.6, 0.4, 0.6, 0.505])
    vague = fit_temperature(np.stack([first, 1 - first], axis=1), np.array([0, 1, 0, 1]), z=1.96)
    assert vague.value
    assert (vague.low, vague.high) == (COLDEST, HOTTEST)
    told = replace(check, temperature=replace(check.temperature, value=vague))
    text = text_of(replace(content, evaluation=replace(content.evaluation, confidence_check=told)))
    assert "None is told: the validation split is too small" in text
    assert "Divided by" not in text
    assert "after temperature scaling" not in text


def fitting(labels, probabilities):
    """As right as it is sure."""
    chance = np.random.default_rng(9)
    right = chance.random(len(labels)) < probabilities.max(axis=1)
    said = probabilities.argmax(axis=1)
    labels[:] = np.where(right, said, 1 - said)
    return standing(labels, probabilities)


def test_a_model_as_sure_as_it_is_right_is_called_so(content_of):
    summary = summary_of(content_of(samples=300, beside=fitting))
    assert "As far as 300 samples can tell, it is as sure as it is right" in summary


def test_what_the_recipe_does_not_ask_for_is_not_there(content_of):
    def nothing(labels, probabilities):
        return standing(labels, probabilities, recipe={"slices": None, "calibration": None})

    page = render(content_of(beside=nothing)).decode()
    for key in ("slices", "fairness"):
        assert f'id="{key}"' not in page
        assert f'href="#{key}"' not in page
    assert "Temperature" not in page


def test_names_of_groups_stay_text_and_the_page_small(content_of):
    nasty = np.array([f"<script>{k}</script>" + "x" * 300 for k in range(30)])

    def many(labels, probabilities):
        return standing(labels, probabilities, nasty)

    page = render(content_of(samples=3000, beside=many))
    assert len(page) < LIMIT_BYTES
    assert b"<script" not in page


def test_a_threshold_is_given_where_there_are_costs(content_of):
    content = content_of(samples=400, beside=standing)
    threshold = content.evaluation.confidence_check.threshold
    assert f"Say “ good ” from {100 * threshold.value:.1f} % on" in text_of(content)
    without = replace(content.evaluation.confidence_check, threshold=None)
    evaluation = replace(content.evaluation, confidence_check=without)
    assert "From where on to act" not in text_of(replace(content, evaluation=evaluation))


@pytest.mark.parametrize("validation", [True, False])
def test_an_evaluation_comes_back_from_its_files_whole(tmp_path, content_of, validation):
    def some(labels, probabilities):
        return standing(labels, probabilities, validation=validation)

    evaluation = content_of(samples=200, beside=some).evaluation
    evaluation.save(tmp_path)
    loaded = Evaluation.load(tmp_path)
    for name in ("slices", "fairness", "confidence_check", "calibration", "metrics"):
        assert getattr(loaded, name) == getattr(evaluation, name)
    assert (loaded.confidence_check is not None) == validation
