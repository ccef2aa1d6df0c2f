"""The page in a real browser: by keyboard, by touch on a phone, and where the network goes away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import pytest

from tests.browser import Browser, axe, chromium, open_browser
from tests.review.page.sites import CONTROL, MODEL, PLAN, Pints, at_a_port, pints, site_of
from totalml.errors import StoreError
from totalml.review.desk import Desk
from totalml.review.page.site import Site
from totalml.review.queues.other_asks import plan_items
from totalml.review.reviews import Reviews
from totalml.store import Store

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium() is None, reason="no Chromium; TOTALML_CHROMIUM can name one"),
]
PATIENCE_S = 30.0
# Nothing between two pages.
SEEN = (
    "(() => { const card = document.querySelector('article'); return card && card.dataset.item + card.className; })()"
)

# What a finger would miss: less than 44 px high.
SMALL = """[...document.querySelectorAll("button, .button, summary")]
    .filter((each) => each.offsetParent && !each.closest(".grid") && each.getBoundingClientRect().height < 44)
    .map((each) => each.textContent)"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(chromium() or "", tmp_path_factory.mktemp("profile")) as opened:
        opened.do("Page.setBypassCSP", enabled=False)  # our script runs under our own policy
        opened.do("Network.enable")
        yield opened


def until(told: Callable[[], Any]) -> Any:
    due = time.monotonic() + PATIENCE_S
    while time.monotonic() < due:
        with suppress(AssertionError):  # a page that goes away while it is asked
            if found := told():
                return found
        time.sleep(0.02)
    raise TimeoutError("it did not happen")


def phone(browser: Browser) -> None:
    browser.do("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=1, mobile=True)
    browser.do("Emulation.setTouchEmulationEnabled", enabled=True)


def desk(browser: Browser) -> None:
    browser.do("Emulation.setDeviceMetricsOverride", width=1200, height=800, deviceScaleFactor=1, mobile=False)
    browser.do("Emulation.setTouchEmulationEnabled", enabled=False)


def sign_in(browser: Browser, site: Site, url: str, who: str = "eve", media: Sequence[dict[str, str]] = ()) -> None:
    network(browser, True)
    browser.do("Emulation.setEmulatedMedia", features=[*media, {"name": "prefers-reduced-motion", "value": "reduce"}])
    browser.do("Network.clearBrowserCookies")
    browser.open(f"{url}/in/{site.desk.reviews.invite(who, 1)}")
    until(lambda: browser.value("location.pathname === '/' && document.readyState === 'complete'"))
    until(lambda: browser.value("document.activeElement.id === 'question'"))


def press(browser: Browser, key: str) -> None:
    code, text = (13, "\r") if key == "Enter" else (ord(key.upper()), key)
    browser.do("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
    browser.do("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


def touch(browser: Browser, selector: str, x: float = 0.5, y: float = 0.5) -> None:
    """Where it is, as a finger does; so it must be on the screen and under nothing else."""
    until(lambda: browser.value("[...document.images].every((each) => each.complete)"))
    box = browser.value(
        f"(() => {{ const e = document.querySelector({selector!r}); e.scrollIntoView({{block: 'center'}});"
        " const b = e.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()"
    )
    point = [{"x": box[0] + box[2] * x, "y": box[1] + box[3] * y}]
    browser.do("Input.dispatchTouchEvent", type="touchStart", touchPoints=point)
    browser.do("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def network(browser: Browser, there: bool) -> None:
    speed = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    browser.do("Network.emulateNetworkConditions", offline=not there, **speed)


def moved(browser: Browser, act: Callable[[], None]) -> None:
    """Do something, and wait until another card is there."""
    before = browser.value(SEEN)
    act()
    until(lambda: browser.value(SEEN) not in (None, before))


def said(site: Site) -> list[Any]:
    return [each.answer for each in site.desk.reviews.standing()]


def test_ten_by_keyboard_and_ten_by_touch(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(20))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        for number in range(10):
            moved(browser, lambda number=number: press(browser, "12"[number % 2]))
            assert browser.value("document.activeElement.id") == "question"
            moved(browser, lambda: press(browser, "Enter"))
        phone(browser)
        for _ in range(10):
            moved(browser, lambda: touch(browser, ".choices button:nth-child(2)"))
            moved(browser, lambda: touch(browser, "#next"))
        assert "Nothing waits" in browser.value("document.body.innerText")
    answers = said(site)
    assert len(answers) == 20
    assert answers[:10] == [{"label": {"label": ("dark", "light")[number % 2]}} for number in range(10)]
    seconds = [each.seconds for each in site.desk.reviews.standing()]
    assert min(seconds) >= 0
    assert 0 < sum(seconds) < 20 * PATIENCE_S


def test_without_a_network_judging_goes_on_and_nothing_is_lost_or_doubled(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(8, CONTROL))
    with at_a_port(site) as url:
        phone(browser)
        sign_in(browser, site, url)
        until(lambda: browser.value("ahead.length") >= 5)
        network(browser, False)
        for _ in range(3):
            moved(browser, lambda: touch(browser, ".choices button:nth-child(1)"))
            until(lambda: browser.value("[...document.querySelectorAll('.pictures img')].every((i) => i.naturalWidth)"))
        assert "3 of your answers wait" in browser.value("document.getElementById('status').textContent")
        assert said(site) == []
        network(browser, True)
        until(lambda: len(said(site)) == 3)
        until(lambda: not browser.value("localStorage.length && outbox().length"))
    assert len(site.desk.reviews.entries) == 3


def test_answers_that_wait_outlive_the_page_and_the_server(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(6, CONTROL))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        until(lambda: browser.value("ahead.length") >= 5)
    for _ in range(2):
        moved(browser, lambda: press(browser, "1"))
    assert browser.value("outbox().length") == 2
    restarted = Desk(Reviews(Store(tmp_path / "store"), MODEL), site.desk.settings)
    again = Site(restarted, site.signature, Pints())
    with at_a_port(again, int(url.rpartition(":")[2])):
        browser.open(f"{url}/")
        until(lambda: len(said(again)) == 2)
        until(lambda: browser.value("document.querySelectorAll('#standing b')[0].textContent") == "2")
    assert len(again.desk.reviews.entries) == 2


# As if another page of the same reviewer had sent the first answer at the same time, and taken it out of the outbox.
OTHER_PAGE = """(() => {
    const real = fetch;
    window.fetch = async (path, options) => {
        const answer = await real(path, options);
        if (path === "/verdicts") localStorage.setItem(outboxName, JSON.stringify(outbox().slice(1)));
        window.fetch = real;
        return answer;
    };
})()"""


def test_two_pages_of_one_reviewer_lose_none_of_the_answers_that_wait(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(6, CONTROL))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        until(lambda: browser.value("ahead.length") >= 5)
        network(browser, False)
        for _ in range(3):
            moved(browser, lambda: press(browser, "1"))
        browser.value(OTHER_PAGE)
        network(browser, True)
        until(lambda: browser.value("outbox().length") == 0)
        until(lambda: not browser.value("sending"))
    assert len(said(site)) == 3


def test_answers_that_wait_outlive_the_invitation_under_which_they_were_given(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(6, CONTROL))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        until(lambda: browser.value("ahead.length") >= 5)
        network(browser, False)
        for _ in range(2):
            moved(browser, lambda: press(browser, "1"))
        sign_in(browser, site, url)  # by a newer link
        until(lambda: browser.value("outbox().length") == 0)
    assert len(said(site)) == 2


def test_undo_brings_the_last_one_back_and_then_what_was_before_it(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(4, CONTROL))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        first = browser.value(SEEN)
        moved(browser, lambda: press(browser, "1"))
        second = browser.value(SEEN)
        until(lambda: len(said(site)) == 1)
        moved(browser, lambda: press(browser, "u"))
        assert browser.value(SEEN) == first
        assert said(site) == []
        moved(browser, lambda: press(browser, "2"))
        assert browser.value(SEEN) == second
        until(lambda: said(site) == [{"label": {"label": "light"}}])


def test_a_touch_says_where_it_should_have_looked(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(2))
    with at_a_port(site) as url:
        phone(browser)
        sign_in(browser, site, url)
        moved(browser, lambda: touch(browser, ".choices button:nth-child(1)"))
        until(lambda: browser.value("document.querySelector('.touchable img').naturalWidth > 0"))
        touch(browser, ".grid", 0.8, 0.1)
        verdict = site.desk.reviews.standing()[0].key
        kept = until(lambda: site.desk.reviews.remarks(verdict))
        assert kept[0].at == pytest.approx([0.8, 0.1], abs=0.02)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width_px", [390, 1200])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(browser, tmp_path, scheme, width_px):
    site = site_of(tmp_path / "store", pints(3))
    with at_a_port(site) as url:
        (phone if width_px == 390 else desk)(browser)
        sign_in(browser, site, url, media=[{"name": "prefers-color-scheme", "value": scheme}])
        for act in ("1", "Enter"):
            browser.value(axe())
            assert browser.value("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))") == []
            assert browser.value("document.documentElement.scrollWidth") <= width_px
            assert browser.value(SMALL) == []
            moved(browser, lambda act=act: press(browser, act))


def test_whoever_meets_a_picture_that_cannot_be_shown_is_told_and_goes_on(browser, tmp_path):
    site = site_of(tmp_path / "store", pints(3, CONTROL))
    site.shows.gone |= {"pint-0", "pint-2"}
    with at_a_port(site) as url:
        phone(browser)
        sign_in(browser, site, url)
        told = []
        for _ in range(3):
            until(lambda: browser.value("[...document.images].every((each) => each.complete && each.naturalWidth)"))
            told.append("cannot be shown. Say that" in browser.value("document.querySelector('main').textContent"))
            assert browser.value(SMALL) == []
            press(browser, "c")
            moved(browser, lambda: touch(browser, "button[name=cannot_tell]"))
    assert sorted(told) == [False, True, True]
    assert said(site) == [{"cannot_tell": "too dark"}] * 3


def test_a_plan_and_its_curve_can_be_read_on_a_phone(browser, tmp_path):
    site = site_of(tmp_path / "store", plan_items(PLAN, "blake3:" + "a" * 64))
    with at_a_port(site) as url:
        phone(browser)
        sign_in(browser, site, url)
        seen = set()
        for key in "1212":
            browser.value(axe())
            assert browser.value("axe.run().then((r) => r.violations.map((v) => [v.id, v.nodes[0].html]))") == []
            assert browser.value("document.documentElement.scrollWidth") <= 390
            assert browser.value(
                "[...document.querySelectorAll('.scroll')].every((e) => e.scrollWidth <= e.clientWidth)"
            )
            seen.add(browser.value("document.querySelector('.drawn svg, .drawn table').tagName"))
            moved(browser, lambda key=key: press(browser, key))
    assert seen == {"svg", "TABLE"}
    assert [each["agrees"] for each in said(site)] == [True, False, True, False]


def test_what_is_not_kept_or_not_taken_is_not_called_kept(browser, tmp_path, monkeypatch):
    site = site_of(tmp_path / "store", pints(6, CONTROL))
    with at_a_port(site) as url:
        desk(browser)
        sign_in(browser, site, url)
        until(lambda: browser.value("ahead.length") >= 5)

        def full(*_: object) -> None:
            raise StoreError("the disk is full")

        with monkeypatch.context() as patched:
            patched.setattr(site.desk, "give", full)
            moved(browser, lambda: press(browser, "1"))
            until(lambda: "Not kept yet" in browser.value("document.getElementById('status').textContent"))
        until(lambda: len(said(site)) == 1)  # by itself
        browser.value("document.querySelector('.choices button').value = 'nothing we know'")
        moved(browser, lambda: press(browser, "1"))
        until(lambda: "was not taken" in browser.value("document.getElementById('status').textContent"))
    assert len(said(site)) == 1


def test_the_script_is_small():
    from totalml.review.page.shell import asset

    assert len(asset("review.js")) < 15_000
