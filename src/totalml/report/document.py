"""What all our pages share: one file each, no network, no script, links to its sections."""

from collections.abc import Mapping
from importlib.resources import files

from totalml.report.markup import Html, joined, tag

# A page may use nothing but itself, whatever a label or file name holds.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def document(title: str, header: Html, sections: Mapping[str, tuple[str, Html]], *rooms: str) -> Html:
    """A whole page.

    Args:
        sections: anchor -> its name in the links, and its content; the first one is the summary.
        rooms: packages besides the report's own whose style.css joins.
    """
    styles = [files(room).joinpath("style.css").read_text("utf-8") for room in ("totalml.report", *rooms)]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("title", f"{title} · Total ML"),
        tag("link", rel="icon", href="data:,"),
        tag("style", Html("".join(styles))),
    )
    links = [tag("li", tag("a", name, href=f"#{key}")) for key, (name, _) in sections.items()]
    nav = tag("nav", tag("ul", *links), aria_label="Sections")
    main = tag("main", *(shown for _, shown in sections.values()))
    skip = tag("a", "Skip to the summary", href="#summary", class_="skip")
    return joined(Html("<!doctype html>\n"), tag("html", head, tag("body", skip, header, nav, main), lang="en"))


def by_name(sections: Mapping[str, Html]) -> dict[str, tuple[str, Html]]:
    """Sections whose anchors are their names in small letters."""
    return {name.lower(): (name, shown) for name, shown in sections.items()}
