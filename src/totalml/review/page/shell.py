"""A whole page of ours around what is shown."""

from __future__ import annotations

import hashlib
import uuid
from functools import cache
from importlib.resources import files

from totalml.report.markup import Html, joined, tag

# A page may use nothing but what this service sends, whatever a label or file name holds; blob: is a picture that was
# brought before the network went away.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
KEYS = {
    "1 to 9": "an answer",
    "c": "cannot tell",
    "w": "something else is in the picture",
    "a": "add a word",
    "Enter": "go on",
    "u": "take the last one back",
    "?": "these keys",
}


@cache
def asset(name: str) -> bytes:
    """Of `review.css`, behind the style of our reports, or `review.js`."""
    rooms = ("totalml.report/style.css", "totalml.review.page/review.css") if name.endswith("css") else ()
    named = [each.split("/") for each in rooms] or [["totalml.review.page", name]]
    return b"".join(files(room).joinpath(file).read_bytes() for room, file in named)


def address_of(name: str) -> str:
    """So that a browser keeps it until it is another."""
    return f"/{name}?{hashlib.sha256(asset(name)).hexdigest()[:12]}"


def page(title: str, shown: Html, bar: Html | None = None, script: bool = False, **data: str) -> str:
    """Args:
    bar: what stands above; None: nothing.
    script: whether ours runs there; it works without.
    data: attributes that it reads.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1, viewport-fit=cover"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href=address_of("review.css")),
        *([tag("script", src=address_of("review.js"), defer="")] if script else []),
    )
    status = tag("p", id="status", role="status", aria_live="polite")
    main = tag("main", shown, id="main")
    body = tag("body", *([bar] if bar else []), main, status, *([_keys()] if script else []), **data)
    return joined(Html("<!doctype html>\n"), tag("html", head, body, lang="en"))


def bar_of(who: str, judged: int, waiting: int, form_key: str) -> Html:
    """Who is here, how far they have come, and a way back."""
    told = tag("span", tag("b", f"{judged:,}"), " judged, ", tag("b", f"{waiting:,}"), " to go", id="standing")
    total = max(judged + waiting, 1)
    meter = tag("progress", value=judged, max=total, id="progress", aria_label="How far you have come")
    key = tag("input", type="hidden", name="form_key", value=form_key)
    # Made with the page, so that a form that is sent twice without any script takes back one.
    once = tag("input", type="hidden", name="key", value=uuid.uuid4().hex)
    undo = tag("button", "Undo", type="submit", id="undo", data_key="u", **({} if judged else {"disabled": ""}))
    back = tag("form", key, once, undo, method="post", action="/undo", id="back")
    out = tag("form", key, tag("button", "Sign out", type="submit", class_="plain"), method="post", action="/out")
    return tag("header", tag("p", tag("bdi", who), class_="who"), told, back, out, meter, class_="bar-of")


def notice(title: str, *told: str) -> Html:
    return tag(
        "article", tag("h1", title, id="question", tabindex=-1), *(tag("p", each) for each in told), class_="notice"
    )


def _keys() -> Html:
    rows = [tag("div", tag("dt", tag("kbd", key)), tag("dd", what)) for key, what in KEYS.items()]
    close = tag("form", tag("button", "Close", class_="main"), method="dialog")
    return tag("dialog", tag("h2", "Keys"), tag("dl", *rows), close, id="keys", aria_label="Keys")
