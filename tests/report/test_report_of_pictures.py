"""What the page says of worse and of strange pictures."""

import re
from dataclasses import replace

import numpy as np
import pytest

from totalml.evaluation.out_of_distribution.detector import Detector
from totalml.evaluation.out_of_distribution.measure import Scored, record_of
from totalml.evaluation.out_of_distribution.strangers import STRANGERS
from totalml.evaluation.robustness.measure import robustness_of
from totalml.recipe import RobustnessRecipe
from totalml.report.page import LIMIT_BYTES, render

SAMPLES = 200


def text_of(content):
    page = re.sub(r"<style>.*?</style>", "", render(content).decode(), flags=re.DOTALL)
    text = re.sub(r"<[^>]*>", " ", page).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))


def robust(rates):
    """Right for 95 of 100 as they are; for each kind the share of each strength, where it is another one."""
    rows = np.arange(SAMPLES)
    shares = {kind: rates.get(kind, [0.95] * 5) for kind in RobustnessRecipe().kinds()}
    changed = {kind: np.stack([rows < share * SAMPLES for share in each]) for kind, each in shares.items()}
    return robustness_of(RobustnessRecipe(), rows < 0.95 * SAMPLES, changed, 311, 0.95)


def strange(strangers=0.0, validation=300):
    """Scores of a test split of which a share comes from elsewhere."""
    chance = np.random.default_rng(0)
    test, scores = (chance.normal(1, 0.1, count) for count in (SAMPLES, validation))
    test[: int(strangers * SAMPLES)] += 1
    detector = Detector(np.eye(1, dtype=np.float32), np.zeros((1, 1), np.float32)).with_threshold(scores, 0.05)
    right = np.arange(SAMPLES) % 10 > 0
    others = {kind: chance.normal(2 if kind != "tiles" else 1, 0.1, 50) for kind in STRANGERS}
    ids = [f"s{k:04d}" for k in range(SAMPLES)]
    return record_of(detector, Scored(scores, test, right, others), ids, 1400, 0.05, 0.95)


@pytest.fixture
def content(content_of):
    return content_of(samples=SAMPLES)


def test_what_costs_most_stands_on_the_first_screen(content):
    found = robust({"blur": [0.95, 0.9, 0.85, 0.8, 0.71]})
    text = text_of(replace(content, robustness=found))
    told = "Of worse pictures, blur costs it most: from 95 % right to 71 % at the strongest (5 % of the side)"
    assert told in text
    assert "Blur: clearly less often right from 1 % of the side on" in text
    assert "Tilt: no clear loss at the strongest" in text
    assert "The same 200 pictures (evenly chosen from 311 of the test split)" in text


def test_a_model_that_loses_nothing_is_not_said_to(content):
    text = text_of(replace(content, robustness=robust({})))
    assert "costs it most" not in text
    assert "change nothing that 200 pictures could show" in text


def test_worse_pictures_are_shown_and_every_figure_stands_in_a_table(content):
    found = robust({"dark": [0.94, 0.9, 0.8, 0.7, 0.6]})
    page = render(replace(content, robustness=found)).decode()
    shown = re.findall(r'<img src="(data:image/webp;base64,[^"]+)" alt="The same picture with ([^"]+)"', page)
    assert len(shown) == 25
    assert len({uri for uri, alt in shown if alt.startswith("darkness")}) == 5
    assert len(re.findall(r'<th scope="row">(?:Blur|Noise|Too dark|Compression|Tilt)</th>', page)) == 25


def test_strangers_in_the_test_split_stand_on_the_first_screen(content):
    text = text_of(replace(content, out_of_distribution=strange(strangers=0.3)))
    assert re.search(r"3\d of 100 test pictures look unlike those it learnt from, where 5 of 100 are expected", text)
    assert "clearly beyond the 5 points" in text
    assert "That is not clearly" not in text


def test_an_ordinary_test_split_raises_no_alarm(content):
    text = text_of(replace(content, out_of_distribution=strange()))
    assert "are expected" not in text
    assert "It notices pictures unlike those it learnt from: 100 % of noise, 100 % of flat colours" in text
    assert "That is not clearly beyond the 5 points" in text
    assert "not clearly less often right" in text


def test_the_pictures_least_like_training_are_shown_with_their_score(content):
    found = strange(strangers=0.02)
    page = render(replace(content, out_of_distribution=found)).decode()
    shown = re.findall(r'alt="Sample (s\d+), score ([0-9.]+), flagged"', page)
    scores = found.scores["score"].to_numpy()
    assert [id_ for id_, _ in shown[:4]] == [f"s{row:04d}" for row in np.argsort(-scores)[:4]]
    assert float(shown[0][1]) == pytest.approx(scores.max(), abs=0.006)


def test_too_small_a_validation_split_is_told(content):
    text = text_of(replace(content, out_of_distribution=strange(validation=10)))
    assert "it cannot tell: 10 validation samples are too few to set a threshold" in text


@pytest.mark.parametrize("image_px", [None, 256])
def test_the_page_stays_small_with_both(content_of, image_px):
    content = content_of(samples=SAMPLES, image_px=image_px)
    page = render(replace(content, robustness=robust({}), out_of_distribution=strange()))
    assert len(page) < LIMIT_BYTES
    assert b'id="robustness"' in page


def test_without_them_nothing_is_said(content):
    page = render(content).decode()
    assert 'id="robustness"' not in page
    assert 'href="#strange"' not in page
