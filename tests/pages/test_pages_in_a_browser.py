"""The pages in Chromium: nothing that axe-core finds, in either scheme and on a phone; by keyboard; on paper."""

import json
import re

import numpy as np
import pytest

from tests.browser import Browser, axe
from tests.evaluation.regressed import regressed
from totalml.report.page import write_report

PAGES = ("report", "strangers", "regression", "comparison", "sweep", "monitor", "figures")
WIDTHS_PX = (1280, 390)
PAPER_PX = 718  # A4 between margins of 1 cm
RUN_AXE = """axe.run({resultTypes: ["violations"]}).then(found => JSON.stringify(found.violations.map(
    each => [each.id, each.impact, each.nodes.map(node => node.html.slice(0, 200))])))"""
OPEN_ALL = "document.querySelectorAll('details').forEach(each => each.open = true)"
FOCUS = """(() => { const at = document.activeElement, style = getComputedStyle(at);
    return [at.tagName, at.ariaLabel || at.textContent, style.outlineStyle, style.outlineWidth]; })()"""
# What a hand would have to scroll sideways.
SCROLLING = """[...document.querySelectorAll("main *")].filter(each => each.scrollWidth > each.clientWidth + 1
    && ["auto", "scroll"].includes(getComputedStyle(each).overflowX)).map(
        each => [each.ariaLabel, each.getAttribute('tabindex')])"""
OVER = """[...document.querySelectorAll(".cards b, .cards small")].filter(
    each => each.scrollWidth > each.clientWidth).map(each => each.textContent)"""
CUT = """[...document.querySelectorAll("main *")].filter(
    each => each.getBoundingClientRect().right > innerWidth + 1).map(each => each.outerHTML.slice(0, 100))"""

pytestmark = pytest.mark.browser
every_page = pytest.mark.parametrize("page", PAGES, indirect=True)


def found(browser: Browser) -> list[tuple[str, str, list[str]]]:
    """(rule, impact, elements) of everything that axe-core holds against the page that is shown."""
    browser.value(f"{axe()};0")
    return [tuple(each) for each in json.loads(browser.value(RUN_AXE))]


@every_page
def test_axe_finds_nothing(browser, page):
    for scheme in ("light", "dark"):
        for width in WIDTHS_PX:
            browser.show(page, width, prefers_color_scheme=scheme)
            shown = browser.value("[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]")
            assert shown == [width, scheme == "dark"]
            browser.value(OPEN_ALL)
            assert found(browser) == [], f"{scheme}, {width} px"


@every_page
def test_no_page_is_wider_than_its_window(browser, page):
    for width in WIDTHS_PX:
        browser.show(page, width)
        assert browser.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_no_figure_of_a_card_runs_over_its_edge_on_a_phone(browser, content_of, tmp_path):
    truth = np.random.default_rng(0).normal(0, 300_000, (60, 1))
    evaluation = regressed(truth, truth + 123_456, units={"t0": "litres"})
    browser.show(write_report(tmp_path, content_of(evaluation=evaluation, score="mae")), WIDTHS_PX[1])
    assert browser.value(OVER) == []


def test_axe_finds_planted_faults(browser, tmp_path):
    policy = "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'\">"
    faults = '<p style="color:#999">too pale</p><img src="data:,"><ul><p>no item</p></ul><h4>after h1</h4>'
    page = tmp_path / "planted.html"
    head = f"<!doctype html><html lang=en><head>{policy}<title>Planted</title></head>"
    page.write_text(f"{head}<body><main><h1>Planted</h1>{faults}</main></body></html>")
    browser.show(page)
    rules = {rule: impact for rule, impact, _ in found(browser)}
    assert rules == {
        "color-contrast": "serious",
        "image-alt": "critical",
        "list": "serious",
        "heading-order": "moderate",
    }


@every_page
def test_everything_is_reached_by_keyboard_and_seen_where_one_is(browser, page):
    browser.show(page, WIDTHS_PX[1])
    browser.value(OPEN_ALL)
    reached = []
    for _ in range(300):
        browser.press_tab()
        tag, name, style, width = browser.value(FOCUS)
        if tag == "BODY" or (reached and (tag, name) == reached[0]):
            break
        assert (style, width) == ("solid", "3px"), f"nothing shows that {tag} {name!r} has the focus"
        reached.append((tag, name))
    assert reached[0] == ("A", "Skip to the summary")
    scrolling = browser.value(SCROLLING)
    assert {name for name, _ in scrolling} <= {name for _, name in reached}
    assert {tabindex for _, tabindex in scrolling} <= {"0"}  # not every browser goes to what scrolls by itself


@every_page
def test_nothing_moves_for_who_wants_no_motion(browser, page):
    smooth = "getComputedStyle(document.documentElement).scrollBehavior"
    browser.show(page)
    assert browser.value(smooth) == "smooth"
    browser.show(page, prefers_reduced_motion="reduce")
    assert browser.value(smooth) == "auto"
    moving = "[...document.querySelectorAll('*')].map(each => getComputedStyle(each)).filter(style => "
    assert browser.value(f"{moving} style.transitionDuration != '0s' || style.animationName != 'none').length") == 0


@every_page
def test_on_paper_no_table_is_cut_and_the_ink_is_dark(browser, page):
    browser.show(page, PAPER_PX, prefers_color_scheme="dark")
    browser.do("Emulation.setEmulatedMedia", media="print", features=[])
    colours = "[document.body, ...document.querySelectorAll('main, th')].map(each => getComputedStyle(each).color)"
    assert set(browser.value(colours)) <= {"rgb(0, 0, 0)", "rgb(68, 68, 68)"}
    assert browser.value(CUT) == []
    assert re.match(rb"%PDF-", browser.print())
