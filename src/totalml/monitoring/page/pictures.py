"""Pictures of the rows that show it most: looking at them tells more than any figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.monitoring.page.moments import in_words, moment
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.pictures import thumbnails
from totalml.values.shown import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from totalml.monitoring.page.content import KeptPicture, MonitorContent

MOST_MEGAPIXELS = 100.0
SIZE_PX = 160
AT_A_GLANCE = 6
GLANCE_PART = 5  # a fifth of what pictures may take goes to those of the first screen


def pictures(content: MonitorContent, budget_bytes: int) -> Html | str:
    if content.focus is None or not content.pictured:
        return ""
    if not content.pictures:
        return section("pictures", "Pictures that show it most", tag("p", _none(content)))
    uris = _drawn(content.pictures, budget_bytes - budget_bytes // GLANCE_PART)
    cards = [_card(each, uri) for each, uri in zip(content.pictures, uris, strict=True)]
    lead = f"Of the latest window that alarmed, {counted(len(cards), 'picture')}, the clearest first."
    unreadable = sum(uri is None for uri in uris) if any(uris) else 0
    left_out = f" {counted(unreadable, 'picture')} cannot be read." if unreadable else ""
    shown = tag("ul", *cards, class_="grid shown")
    return section("pictures", "Pictures that show it most", tag("p", lead + left_out), shown)


def glance(content: MonitorContent, budget_bytes: int) -> Html:
    """A few for the first screen, while something is the matter; empty without."""
    last = content.last
    if last is None or last is not content.focus or not last.verdict.alarms:
        return Html("")
    first = content.pictures[:AT_A_GLANCE]
    uris = _drawn(first, budget_bytes // GLANCE_PART)
    cards = [_card(each, uri) for each, uri in zip(first, uris, strict=True) if uri]
    if not cards:
        return Html("")
    hint = tag("p", "What shows it most, and what the model said. ", tag("a", "See them all", href="#pictures"), ".")
    return joined(tag("ul", *cards, class_="at-once"), hint)


def _card(each: KeptPicture, uri: str | None) -> Html:
    said = each.said[:80]
    asked = f"Request {each.request_id[:40]}, {in_words(moment(each.when))}"
    picture = tag("img", src=uri, alt=f"{asked}: the model says {said}", width=SIZE_PX, height=SIZE_PX) if uri else ""
    lines = (tag("span", name_of(said, 40), class_="said"), tag("span", name_of(each.request_id, 20), class_="ident"))
    return tag("li", tag("figure", picture, tag("figcaption", *lines)), title=asked)


def _none(content: MonitorContent) -> str:
    if not content.alarming:
        return "No window alarmed, so none is chosen."
    return (
        "None is kept of these rows. A deployment file keeps those of a share of the requests from then on: "
        "log.pictures: 0.05 keeps one in twenty, for log.picture_days days."
    )


def _drawn(kept: Sequence[KeptPicture], budget_bytes: int) -> list[str | None]:
    """Each as a data URI; None of those that cannot be read, and of all where they do not fit."""
    import numpy as np

    pixels = [_pixels(each.picture) for each in kept]
    readable = [each for each in pixels if each is not None]
    if not readable:
        return [None] * len(kept)
    uris = iter(thumbnails(np.stack(readable), budget_bytes).uris)
    return [None if each is None else next(uris, None) for each in pixels]


def _pixels(picture: bytes) -> NDArray[np.uint8] | None:
    """(S, S, 3), the whole picture on grey."""
    from totalml.data.image import UnreadableImage, decode
    from totalml.features.pixels import OVERSAMPLE, to_pixels
    from totalml.recipe import ImageFeatures

    try:
        decoded = decode(picture, MOST_MEGAPIXELS, OVERSAMPLE * SIZE_PX)
    except UnreadableImage:
        return None
    return to_pixels(decoded, ImageFeatures(size=SIZE_PX, fit="pad"))
