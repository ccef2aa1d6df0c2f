"""The pictures of the first screen: what the model was shown, and beside each what it looked at."""

import numpy as np

from totalml.evaluation.explanation.record import GRAD_CAM, INTEGRATED
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.overlays import overlays, where
from totalml.report.pictures import thumbnails
from totalml.report.task_parts import Answer, answer_of

METHODS = (INTEGRATED, GRAD_CAM)  # the finer one first


def first_pictures(content: ReportContent, budget_bytes: int) -> Html:
    """Those that the explanation shows, each beside itself with light on what spoke for the answer; empty without."""
    record, pictures = content.explanation, content.pictures
    method = next((one for one in METHODS if record is not None and f"shown.{one}" in record.maps), None)
    if record is None or pictures is None or method is None or (drawn := overlays(content, method)) is None:
        return Html("")
    plain = pictures(content.rows[np.array(record.shown, np.int64)])
    small = thumbnails(np.concatenate([plain, drawn]), budget_bytes)
    if not small.uris:
        return Html("")
    count = len(record.shown)
    rows = content.evaluation.predictions.take(list(record.shown)).to_pylist()
    places = [where(map_) for map_ in record.maps[f"shown.{method}"]]
    cards = [
        _card(answer_of(content.evaluation, row), place, small.uris[k], small.uris[count + k], small.size_px)
        for k, (row, place) in enumerate(zip(rows, places, strict=True))
    ]
    hint = (
        "Test pictures with the model's answer, and beside each what it looked at, lit. ✓ the label agrees, ✗ it does "
        "not: those are the mistakes it was surest of."
    )
    return joined(tag("ul", *cards, class_="seen"), tag("p", hint, class_="seen-hint"))


def _card(answer: Answer, place: str, plain: str, lit: str, size_px: int) -> Html:
    alt = f"Sample {answer.id[:80]}: label {answer.true[:40]}, the model says {answer.said[:40]}"
    images = [
        tag("img", src=uri, alt=text, width=size_px, height=size_px)
        for uri, text in ((plain, alt), (lit, f"It looked most {place}"))
    ]
    caption = tag("figcaption", "✓ " if answer.right else "✗ ", name_of(answer.said, 18))
    return tag(
        "li",
        tag("figure", tag("div", *images), caption),
        class_=None if answer.right else "mistake",
        title=answer.id[:160],
    )
