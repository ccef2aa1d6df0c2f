"""The report in a notebook's page, in a real browser: its links stay in its frame, and it cannot touch the page."""

import base64
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.browser import Browser, chromium, open_browser
from totalml.notebook import Report
from totalml.report.document import document
from totalml.report.markup import Html, section, tag

LINK_STYLE = "position: fixed; z-index: 9; left: 0; top: 0; width: 400px; height: 200px"
LINK_PX = (200, 60)  # a point on it
BELOW_PX = (100, 300, 400, 500)  # left, top, right, bottom of a part of the frame that the mouse does not touch
SCROLLED_WITHIN_S = 10.0
SMOOTH_S = 1.0  # another click starts the scrolling anew


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A notebook's page with a report in it; the report's second section is far below its first and black."""
    link = tag("a", "go", href="#far", style=LINK_STYLE)
    script = Html("<script>parent.document.title = 'touched'</script>")
    far = tag("div", style="height: 5000px; background: black")
    sections = {
        "near": ("near", section("near", "Near", link, script, tag("div", style="height: 3000px"))),
        "far": ("far", section("far", "Far", far)),
    }
    report = tmp_path / "report.html"
    report.write_text(document("a report", tag("header"), sections))
    page = tmp_path / "notebook.html"
    page.write_text(f'<!doctype html><title>untouched</title><body style="margin: 0">{Report(report)._repr_html_()}')
    return page


def look(browser: Browser) -> bytes:
    picture = Image.open(BytesIO(base64.b64decode(browser.do("Page.captureScreenshot")["data"])))
    return picture.crop(BELOW_PX).tobytes()


def click(browser: Browser, x: int, y: int) -> None:
    at: dict[str, Any] = {"x": x, "y": y, "button": "left", "clickCount": 1}
    for kind in ("mousePressed", "mouseReleased"):
        browser.do("Input.dispatchMouseEvent", type=kind, **at)


@pytest.mark.browser
def test_a_link_leads_to_its_section_and_the_page_around_is_left_alone(page: Path, tmp_path: Path):
    command = chromium()
    if command is None:
        pytest.skip("needs Chromium: none is on the path; TOTALML_CHROMIUM can name one")
    with open_browser(command, tmp_path / "profile") as browser:
        browser.show(page)
        before, due = look(browser), time.monotonic() + SCROLLED_WITHIN_S
        while look(browser) == before:
            assert time.monotonic() < due, "the link did not scroll the report"
            click(browser, *LINK_PX)  # a frame in a process of its own may miss the first one
            time.sleep(SMOOTH_S)
        assert browser.value("document.title") == "untouched"
        assert browser.value("document.querySelector('iframe').contentDocument") is None
