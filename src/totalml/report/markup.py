"""HTML in small pieces, escaped unless a piece says that it is markup already.

Labels and file names come from strangers, so forgetting to escape must not be possible.
"""

import html
import re
from typing import Any

# HTML has no way to hold these, not even as references.
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_VOID = {"img", "meta", "link", "br"}


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def escaped(value: str) -> Html:
    return value if isinstance(value, Html) else Html(html.escape(_UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", value)))


def joined(*children: str) -> Html:
    return Html("".join(escaped(child) for child in children))


def tag(element: str, /, *children: str, **attributes: Any) -> Html:
    """An element. `class_` is `class`, other underscores are hyphens; an attribute that is None is left out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{html.escape(_UNPRINTABLE.sub("", str(value)))}"'
        for key, value in attributes.items()
        if value is not None
    )
    if element in _VOID:
        return Html(f"<{element}{written}>")
    return Html(f"<{element}{written}>{joined(*children)}</{element}>")


def name_of(value: str, length: int = 60) -> Html:
    """A label or an id: cut to `length`, and isolated so that its writing direction stays its own."""
    if len(value) <= length:
        return tag("bdi", value)
    # The end of a path tells more than its middle.
    tail = length // 2
    return tag("bdi", f"{value[: length - tail - 1]}…{value[-tail:]}", title=value[:160])


def table(caption: str, head: list[str], rows: list[list[str]], class_: str | None = None) -> Html:
    """A table whose first column names the row; it scrolls by itself where the page is narrow."""
    header = tag("thead", tag("tr", *(tag("th", cell, scope="col") for cell in head)))
    body = [tag("tr", tag("th", row[0], scope="row"), *(tag("td", cell) for cell in row[1:])) for row in rows]
    inner = tag("table", tag("caption", caption), header, tag("tbody", *body), class_=class_)
    return tag("div", inner, class_="scroll", tabindex=0, role="region", aria_label=caption)


def section(key: str, title: str, *children: str) -> Html:
    return tag("section", tag("h2", title, id=f"{key}-title"), *children, id=key, aria_labelledby=f"{key}-title")


def with_bar(share: float, figure: str) -> Html:
    """A figure after a small bar that says nothing more than it."""
    bar = tag("span", tag("span", style=f"width:{100 * share:.1f}%"), class_="share", aria_hidden="true")
    return joined(bar, tag("span", figure))
