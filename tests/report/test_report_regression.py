"""What the page says of predicted numbers, held against the numbers themselves."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from tests.evaluation.regressed import regressed
from totalml.compose import compose_recipe
from totalml.evaluation import Known, SampleContext
from totalml.recipe import EvaluationRecipe
from totalml.report.closing import closing_table
from totalml.report.model_card import model_card
from totalml.report.number_format import quantity
from totalml.report.page import render
from totalml.report.regression import parts


def measured(targets=1, samples=60, wrong_group=True, **given):
    """Of heads of pints in millimetres; in one glass the model is far too low."""
    generator = np.random.default_rng(0)
    truth = generator.uniform(5, 25, (samples, targets))
    glass = np.where(np.arange(samples) % 2, "plastic", "tulip")
    errors = generator.normal(0, 1, (samples, targets))
    said = truth + np.where((glass == "plastic")[:, None] & wrong_group, -4 - np.abs(errors), errors)
    asked = EvaluationRecipe(
        bootstrap=50,
        slices={"columns": ["glass"], "search": [], "min_support": 20},
        fairness={"columns": ["glass"], "min_support": 20},
    )
    context = SampleContext(pa.table({"glass": glass}), np.arange(samples))
    fields = {"units": {"t0": "mm"}, "context": context, "validation": (truth, said)}
    fields["known"] = Known(truth, np.arange(samples), np.arange(samples), np.arange(samples))
    return regressed(truth, said, asked, **fields | given)


@pytest.fixture
def page_of(content_of):
    def page(evaluation, **changes) -> str:
        return render(content_of(evaluation=evaluation, score="mae", **changes)).decode()

    return page


def text_of(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)).replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_the_first_sentence_says_how_far_off_and_what_one_answer_for_all_would_be(content_of):
    evaluation = measured(wrong_group=False)
    said = text_of(parts.verdict(content_of(evaluation=evaluation)))
    mae, always = evaluation.metrics["mae"], evaluation.always["t0"]
    assert said.strip().startswith(f"Off by {mae.value:.3g} mm on average ({mae.low:.3g} to {mae.high:.3g})")
    assert f"always answering {always:.3g} mm is off by {evaluation.always_mae:.3g} mm" in said


def test_a_bias_is_called_so_only_where_its_interval_says_it(content_of):
    told = [str(parts.facts(content_of(evaluation=measured(wrong_group=wrong)))) for wrong in (True, False)]
    assert "It says too little: by" in told[0]
    assert "neither too much nor too little" in told[1]


def test_a_model_no_better_than_one_answer_is_called_so(content_of):
    truth = np.random.default_rng(0).normal(size=(60, 1))
    evaluation = regressed(truth, truth[::-1], EvaluationRecipe(bootstrap=50, slices=None))
    told = " ".join(map(str, parts.facts(content_of(evaluation=evaluation))))
    assert "Not clearly better than one answer for all" in told
    assert "explains nothing" in told


def test_the_group_it_is_further_off_for_is_named_in_its_unit(page_of):
    page = text_of(page_of(measured()))
    one = measured().slices.worse()[0]
    assert "further off for glass plastic" in page
    assert f"Clearly further off for glass plastic : {one.value.value:.3g} mm for 30 pictures" in page
    assert "glass plastic is worse" in page
    assert "Does not treat all alike. For glass plastic t0 is" in page
    assert "Right" not in text_of(page_of(measured()).partition('id="slices"')[2].partition("</section>")[0])


def test_every_part_of_the_page_is_there_and_of_numbers(page_of):
    page = page_of(measured())
    for key in ("predicted", "errors", "intervals", "slices", "fairness", "samples", "wrong", "learning"):
        assert f'id="{key}"' in page
    assert "validation mean absolute error" in page
    assert 'id="targets"' not in page
    assert 'id="targets"' in page_of(measured(targets=2))
    assert "accuracy" not in page.lower()
    assert "<script" not in page


def test_scatter_and_histogram_hold_every_sample(page_of):
    page = page_of(measured(samples=60))
    clouds = re.findall(r'<path d="([^"]*)" class="cloud">', page)
    assert [cloud.count("M") for cloud in clouds] == [60, 60]
    bars = re.findall(r"<rect[^>]*><title>[^<]*: (\d+) samples?</title>", page)
    assert sum(map(int, bars)) == 60


def test_most_wrong_are_those_with_the_largest_errors(page_of):
    evaluation = measured()
    page = page_of(evaluation).partition('id="wrong"')[2].partition("</section>")[0]
    shown = re.findall(r'title="(s\d+)"', page)
    errors = np.abs(evaluation.column("value") - evaluation.column("truth"))[:, 0]
    assert shown == [f"s{row:05d}" for row in np.argsort(-errors)[:10]]


def test_an_answer_is_right_where_the_truth_is_in_its_interval():
    evaluation = measured()
    for row in evaluation.predictions.to_pylist():
        answer = parts.answer(evaluation, row)
        assert answer.right == (row["lower"] <= row["truth"] <= row["upper"])
        assert answer.order == pytest.approx(-abs(row["value"] - row["truth"]) / evaluation.deviation["t0"])


def test_without_intervals_or_with_one_truth_the_page_stands(page_of):
    assert "There are none: 0 validation samples are too few" in page_of(measured(validation=None))
    alike = regressed(np.full((60, 1), 3.0), np.full((60, 1), 3.0), EvaluationRecipe(bootstrap=5, slices=None))
    assert "R² is undefined" in page_of(alike)


def test_the_closing_table_has_units():
    rows = closing_table(measured().as_json(), {"training": 1.0}, {}, "report.html")
    values = {what: value for what, value, _ in rows}
    mae = measured().metrics["mae"].value
    assert values["Mean absolute error"] == quantity(mae, "mm") == f"{mae:.3g}\N{NARROW NO-BREAK SPACE}mm"


def test_the_model_card_speaks_of_errors(content_of):
    recipe = compose_recipe(Path(__file__).parents[2], ["+recipe=guinness_head"])
    evaluation = measured()
    card = model_card(content_of(evaluation=evaluation, score="mae"), recipe, evaluation.figures())
    assert "pipeline_tag: image-regression" in card
    assert "type: r_squared" in card
    assert "glass plastic: off by" in card
    assert "says a number and an interval of t0 (mm)" in card.replace("\\", "")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.0, "0"),
        (1.2345, "1.23"),
        (-0.012345, "\N{MINUS SIGN}0.0123"),
        (999.4, "999"),
        (123456.7, "123,457"),
        (1124343.0, "1.12 million"),
    ],
)
def test_numbers_have_three_digits(value, expected):
    assert quantity(value) == expected


def test_samples_without_a_class_are_counted_by_split(content_of):
    evaluation = regressed([[1.0], [2.0], [3.0]], [[1.1], [2.0], [2.9]])
    sizes = {"train": 11480, "validation": 520, "test": 519}
    content = content_of(evaluation=evaluation, score="mae", image_px=None, split_counts={}, split_sizes=sizes)
    shown = render(content).decode().partition('id="data"')[2]
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", shown))
    assert "Samples by split" in text
    assert "All 11,480 520 519 12,519" in text
