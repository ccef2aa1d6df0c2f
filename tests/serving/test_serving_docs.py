"""The page of the routes: from the service alone, readable by people and screen readers."""

import base64

import pytest

from tests.browser import axe, chromium, open_browser
from tests.serving.serving import picture, serving

WRITTEN = "document.querySelectorAll('details').length"


def test_it_asks_no_server_elsewhere(tmp_path):
    with serving(tmp_path) as running:
        page = running.client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "://" not in page.text


@pytest.mark.browser
def test_it_lists_the_routes_and_answers_about_a_picture(tmp_path):
    if (command := chromium()) is None:
        pytest.skip("needs Chromium: none is on the path; TOTALML_CHROMIUM can name one")
    with serving(tmp_path / "store") as running, open_browser(command, tmp_path / "profile") as browser:
        browser.open(f"http://127.0.0.1:{running.port}/docs")
        browser.value(f"(async () => {{ while (!{WRITTEN}) await new Promise((go) => setTimeout(go, 20)) }})()")
        routes = browser.value("[...document.querySelectorAll('summary code')].map((one) => one.textContent)")
        assert {"POST /predict", "GET /readyz", "POST /v2/models/{name}/infer"} <= {*routes}
        light = base64.b64encode(picture()).decode()
        browser.value(
            "(async () => {"
            f"const bytes = Uint8Array.from(atob('{light}'), (one) => one.charCodeAt(0));"
            "const held = new DataTransfer(); held.items.add(new File([bytes], 'p.png', {type: 'image/png'}));"
            "document.getElementById('picture').files = held.files;"
            "document.getElementById('ask').requestSubmit();"
            "const answer = document.getElementById('answer');"
            "while (!answer.textContent) await new Promise((go) => setTimeout(go, 20)) })()"
        )
        assert '"predicted": "light"' in browser.value("document.getElementById('answer').textContent")
        browser.value(f"{axe()};0")
        found = browser.value("axe.run().then((all) => all.violations.map((one) => one.id))")
        assert found == []
