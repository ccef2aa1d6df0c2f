"""What the page says of what the model looked at: the figures, the controls beside them, and the places in words."""

import re
from dataclasses import replace

import numpy as np
import pytest

from totalml.evaluation import Explanation, Interval
from totalml.evaluation.explanation.record import GRAD_CAM, INTEGRATED, SMOOTHGRAD, Located, Measured, Pointing
from totalml.report.overlays import overlaid, overlays, where
from totalml.report.page import LIMIT_BYTES, render

METHODS = (GRAD_CAM, INTEGRATED, SMOOTHGRAD)


def near(value: float) -> Interval:
    return Interval(value, value - 0.05, value + 0.05)


def located(part: str, share: float, area: float) -> Located:
    return Located(part, near(share), area, 0.4, near(share - area), near(share - 0.4))


def explained(share: float = 0.62, similarity: float = 0.2, masks: bool = True, count: int = 60) -> Explanation:
    parts = (located("head", 0.25, 0.05), located("glass", share, 0.31), located("outside", 1 - share, 0.69))
    subject = located("subject", share, 0.31)
    measured = Measured(INTEGRATED, 48, (*parts, subject), Pointing(near(0.71), 0.31, 0.8, near(-0.09)))
    fine = np.zeros((12, 16, 16), np.uint8)
    fine[:, 2, 13] = 255
    maps = {GRAD_CAM: np.full((count, 4, 4), 9, np.uint8)} | {f"shown.{method}": fine for method in METHODS}
    return Explanation(
        layer="image.3",
        count=count,
        subject=("glass",),
        measured=(measured,) if masks else (),
        randomised_similarity=near(similarity),
        confidence=0.95,
        notes=() if masks else ("no test picture has a mask",),
        shown=tuple(range(12)),
        maps=maps,
    )


def section_of(content) -> str:
    page = render(content).decode()
    found = re.search(r'<section id="explanation".*?</section>', page, re.DOTALL)
    assert found
    return found[0]


def text_of(content) -> str:
    text = re.sub(r"<[^>]*>", " ", section_of(content)).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(text.split()))


def test_it_says_in_plain_words_what_decides(content_of):
    text = text_of(content_of(explanation=explained()))
    assert "Of what decides its answers, 62 % lies on the glass, which fills 31 % of the picture." in text
    assert "For its size it looks most at the head: 25 % on 5 % of the picture." in text
    assert "on the glass in 34 of 48 pictures; the middle of the picture in 38 of 48, a place at random in 15" in text
    assert "the maps change, likeness 0.20" in text


def test_looking_no_more_at_the_subject_than_chance_is_said_so(content_of):
    assert "no more than chance would put there" in text_of(content_of(explanation=explained(share=0.33)))


def test_maps_that_do_not_come_from_the_weights_are_read_with_care(content_of):
    assert "Read the Grad-CAM maps with care" in text_of(content_of(explanation=explained(similarity=0.8)))


def test_without_masks_pictures_are_shown_and_the_reason_is_given(content_of):
    text = text_of(content_of(explanation=explained(masks=False)))
    assert "No test picture has a mask." in text
    assert "lies on" not in text


def test_every_picture_is_there_with_its_maps_and_words_for_who_cannot_see_them(content_of):
    shown = section_of(content_of(explanation=explained()))
    alts = re.findall(r'<img[^>]* alt="([^"]*)"', shown)
    assert len(alts) == 12 * 4
    assert alts.count("Integrated gradients: strongest in the upper right") == 12
    assert all(alts)


def test_without_an_explanation_or_pictures_there_is_no_section(content_of):
    assert b'id="explanation"' not in render(content_of())
    content = content_of(explanation=explained(), image_px=None)
    assert overlays(content) is None
    assert "<img" not in section_of(content)


def test_the_page_stays_within_its_limit(content_of):
    content = content_of(samples=400, right=0.4, image_px=160, explanation=explained(count=400))
    assert len(render(content)) < LIMIT_BYTES
    assert section_of(content).count("<img") == 48


def test_names_stay_text(content_of):
    made = explained()
    record = replace(
        made,
        subject=("<b>",),
        measured=(replace(made.measured[0], located=(located("<b>", 0.6, 0.3), located("subject", 0.6, 0.3))),),
    )
    shown = section_of(content_of(explanation=record))
    assert "lies on the <bdi>&lt;b&gt;</bdi>" in shown
    assert "<bdi><b>" not in shown


def test_where_nothing_spoke_the_picture_is_dim_and_where_most_did_it_glows():
    images = np.full((1, 64, 64, 3), 120, np.uint8)
    maps = np.zeros((1, 16, 16), np.uint8)
    maps[0, 4:6, 10:12] = 255
    drawn = overlaid(images, maps)[0].astype(int)
    assert (drawn[50:, :30] < 120).all()
    hot = drawn[20, 44]
    assert hot[0] > 180 > 140 > hot[2]


def test_a_map_without_anything_is_drawn_without_glow():
    drawn = overlaid(np.full((1, 32, 32, 3), 120, np.uint8), np.zeros((1, 4, 4), np.uint8))
    assert np.ptp(drawn) == 0


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (1, 1, "in the upper left"),
        (8, 8, "in the middle"),
        (14, 8, "in the middle of the lower part"),
        (8, 14, "in the middle of the right side"),
    ],
)
def test_places_are_told_in_words(row, column, words):
    map_ = np.zeros((16, 16), np.uint8)
    map_[row, column] = 255
    assert where(map_) == words
