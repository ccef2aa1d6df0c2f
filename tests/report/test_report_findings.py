"""Findings stand in the report with the pictures that show them."""

from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from tests.report.test_report_page import page_of, words_of
from totalml.quality import Finding, QualityReport
from totalml.quality.suites.record import Outcome, Suite
from totalml.report.findings import MOST_PICTURED, PER_FINDING, findings
from totalml.report.page import LIMIT_BYTES, render


@pytest.fixture
def found_in(content_of):
    """A report whose findings name samples of training, which no prediction is about."""

    def make(samples, findings=1, image_px=32, **changes):
        count = 500
        shades = np.linspace(0, 255, count).astype(np.uint8)
        ids = [f"t{row:03d}" for row in range(count)]
        found = tuple(Finding(f"Check{k}", "warn", "too dark", tuple(samples)) for k in range(findings))
        return content_of(
            quality=QualityReport(("Exposure",), found, **changes),
            finding_rows={name: row for row, name in enumerate(ids)},
            image_px=image_px,
            pictures=image_px and (lambda rows: np.tile(shades[rows][:, None, None, None], (1, image_px, image_px, 3))),
        )

    return make


def evidence(content):
    return [image for image in page_of(content).all("img") if image["alt"].startswith("Sample t")]


def test_the_right_picture_stands_by_each_finding(found_in):
    shown = evidence(found_in(["t100", "t400"]))
    assert [image["alt"] for image in shown] == ["Sample t100", "Sample t400"]
    for image, row in zip(shown, (100, 400), strict=True):
        picture = Image.open(BytesIO(b64decode(image["src"].partition(",")[2]))).convert("RGB")
        assert picture.getpixel((8, 8))[0] == pytest.approx(row * 255 / 499, abs=6)


def test_a_sample_that_is_not_there_is_named_without_a_picture(found_in):
    content = found_in(["gone", "t001"])
    assert [image["alt"] for image in evidence(content)] == ["Sample t001"]
    assert "gone" in words_of(content)


def test_without_pictures_findings_are_words(found_in):
    content = found_in(["t001"], image_px=None, not_asked=("Blur",))
    assert evidence(content) == []
    assert "Not asked, because the features hold no pictures: Blur." in words_of(content)


def test_many_findings_leave_room_for_the_pictures_of_the_model(found_in, content_of):
    content = found_in([f"t{row:03d}" for row in range(10)], findings=15, image_px=160)
    assert len(render(content)) < LIMIT_BYTES
    assert len(evidence(content)) >= MOST_PICTURED * PER_FINDING
    assert len([one for one in page_of(content).all("img") if "the model says" in one["alt"]]) > 20


def test_a_suite_is_a_table_with_what_failed_open_and_the_rest_folded_away(content_of):
    outcomes = (
        Outcome("Feature <Drift>", "score < 0.2", "failed", "found 'taste' & more", "warn"),
        Outcome("Label Drift", "score < 0.15", "passed", "0", "warn"),
    )
    suite = Suite("train_test_validation", "vision", outcomes, samples=2000, html="deepchecks-vision-x.html")
    found = tuple(Finding("DeepchecksVision", level, message) for level, message in suite.told())
    other = Finding("Blur", "warn", "blurred photos")
    page = findings(content_of(quality=QualityReport(("Blur", "DeepchecksVision"), (other, *found), (), (suite,))), 0)
    opened, _, folded = page.partition("<details>")
    assert "Feature &lt;Drift&gt;" in opened
    assert opened.count("found &#x27;taste&#x27; &amp; more") == 1, "told twice"
    assert "1 of the warnings are deepchecks" in opened
    assert "blurred photos" in opened
    assert "1 passed" in folded.partition("</summary>")[0]
    assert "Label Drift" in folded
    assert "Looked at 2,000 pictures. Deepchecks&#x27; own page is deepchecks-vision-x.html" in folded


def test_a_suite_that_was_not_run_says_why(content_of):
    suite = Suite("data_integrity", "tabular", not_run="it is not installed")
    report = QualityReport(("Deepchecks",), (Finding("Deepchecks", "warn", "x"),), (), (suite,))
    assert "Not run: it is not installed" in findings(content_of(quality=report), 0)
