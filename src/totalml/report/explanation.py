"""What the model looked at: pictures with the places drawn over them, and how much of it lies on what."""

import numpy as np

from totalml.evaluation.explanation.record import GRAD_CAM, INTEGRATED, SMOOTHGRAD, Explanation, Located, Measured
from totalml.recipe.evaluation import EVERYWHERE_ELSE, SUBJECT
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, section, table, tag, with_bar
from totalml.report.number_format import interval, of_hundred, percent
from totalml.report.overlays import overlays, where
from totalml.report.pictures import Thumbnails, thumbnails
from totalml.report.task_parts import Answer, answer_of
from totalml.values.shown import counted

NAMES = {GRAD_CAM: "Grad-CAM", INTEGRATED: "Integrated gradients", SMOOTHGRAD: "SmoothGrad²"}
ALIKE = 0.5  # maps of a random network that are more like those of the trained one say little of what it learnt


def explanation(content: ReportContent, budget_bytes: int) -> Html | str:
    """Args: budget_bytes: for the pictures."""
    record = content.explanation
    if record is None:
        return ""
    told = [tag("p", sentence) for sentence in (headline(record), _pointing(record), _randomised(record)) if sentence]
    notes = [tag("li", f"{note[0].upper()}{note[1:]}.") for note in record.notes]
    return section(
        "explanation",
        "What it looked at",
        *told,
        tag("ul", *notes, class_="notes") if notes else "",
        _pictures(content, record, budget_bytes),
        *(_table(one, record) for one in record.measured),
    )


def headline(record: Explanation) -> Html | str:
    """`Of what decides its answers, 67 % lies on the glass, which fills 23 % of the picture`; empty without masks."""
    if not record.measured:
        return ""
    found = record.measured[-1]  # the finest
    if not record.subject:
        most = max(_parts(found), key=_times)
        return joined("Of what decides its answers, ", tag("strong", _lies_on(most, _named(most.part))), ".")
    subject, named = found.of(SUBJECT), Html(" and ".join(_named(name) for name in record.subject))
    lies = tag("strong", _lies_on(subject, named))
    if (subject.over_area.low or subject.over_area.value or 0.0) <= 0:
        return joined(lies, ", of what decides its answers: ", tag("em", "no more than chance would put there"), ".")
    return joined("Of what decides its answers, ", lies, _densest(found), ".")


def _lies_on(one: Located, named: str) -> Html:
    share, area = one.share.value or 0.0, one.area
    return joined(f"{percent(share, 0)} lies on ", named, f", which fills {percent(area, 0)} of the picture")


def _densest(found: Measured) -> Html | str:
    """The part that gets most for its size."""
    most = max(_parts(found), key=_times)
    if _times(most) < 2:
        return ""
    share, area = percent(most.share.value or 0.0, 0), percent(most.area, 0)
    return joined(". For its size it looks most at ", _named(most.part), f": {share} on {area} of the picture")


def _parts(found: Measured) -> list[Located]:
    return [one for one in found.located if one.part != SUBJECT]


def _times(one: Located) -> float:
    return (one.share.value or 0.0) / one.area if one.area else 0.0


def _named(part: str) -> Html:
    if part == EVERYWHERE_ELSE:
        return Html("what is none of these")
    return joined("the ", name_of(part.replace("_", " ")))


def _pointing(record: Explanation) -> Html | str:
    if not record.measured or record.measured[-1].pointing is None:
        return ""
    pointing, count = record.measured[-1].pointing, record.measured[-1].count
    named = Html(" or ".join(_named(name) for name in record.subject))
    shares = (pointing.hits.value or 0.0, pointing.centre, pointing.random)
    hits, centre, chance = (of_hundred(share, count) for share in shares)
    return joined(
        "The strongest place lies on ",
        named,
        f" in {hits} pictures; the middle of the picture in {centre}, a place at random in {chance}.",
    )


def _randomised(record: Explanation) -> Html | str:
    similarity = record.randomised_similarity
    if similarity is None or similarity.value is None:
        return ""
    figure = f"{similarity.value:.2f} (0: unrelated, 1: the same)"
    if similarity.value > ALIKE:
        return joined(
            tag("strong", "Read the Grad-CAM maps with care: "),
            f"with the later half of the network drawn at random they stay much as they are, {figure}.",
        )
    lead = "With the later half of the network drawn at random the maps change, likeness"
    return f"{lead} {figure}: they show what it has learnt."


def _pictures(content: ReportContent, record: Explanation, budget_bytes: int) -> Html:
    methods = [method for method in NAMES if f"shown.{method}" in record.maps]
    drawn = {method: pixels for method in methods if (pixels := overlays(content, method)) is not None}
    if content.pictures is None or not drawn:
        return Html("")
    plain = content.pictures(content.rows[np.array(record.shown, np.int64)])
    small = thumbnails(np.concatenate([plain, *drawn.values()]), budget_bytes)
    if not small.uris:
        return Html("")
    rows = content.evaluation.predictions.take(list(record.shown)).to_pylist()
    cards = [_card(k, answer_of(content.evaluation, row), record, list(drawn), small) for k, row in enumerate(rows)]
    text = (
        "Right answers of every class, evenly chosen, and the mistakes it was surest of. Bright: what speaks for the "
        "answer that the model gave. " + _coarse(record)
    )
    return joined(tag("p", text), tag("ul", *cards, class_="looked"))


def _coarse(record: Explanation) -> str:
    if GRAD_CAM not in record.maps:
        return ""
    side = record.maps[GRAD_CAM].shape[1]
    return f"Grad-CAM tells {side} × {side} places apart; the other two go to the pixel."


def _card(place: int, answer: Answer, record: Explanation, methods: list[str], small: Thumbnails) -> Html:
    count = len(record.shown)
    alts = [f"Sample {answer.id[:80]}: label {answer.true[:40]}, the model says {answer.said[:40]}"]
    alts += [f"{NAMES[method]}: strongest {where(record.maps[f'shown.{method}'][place])}" for method in methods]
    images = [
        tag(
            "span",
            tag("img", src=small.uris[count * k + place], alt=alt, width=small.size_px, height=small.size_px),
            tag("small", title),
        )
        for k, (alt, title) in enumerate(zip(alts, ["Picture", *(NAMES[one] for one in methods)], strict=True))
    ]
    told = joined("✓ " if answer.right else "✗ ", "says ", name_of(answer.said, 24), f", {answer.remark}")
    truth = "" if answer.right else tag("span", "label: ", name_of(answer.true, 24), class_="label")
    caption = tag("figcaption", tag("span", told, class_="said"), truth)
    return tag(
        "li",
        tag("figure", tag("div", *images), caption),
        class_=None if answer.right else "mistake",
        title=answer.id[:160],
    )


def _table(found: Measured, record: Explanation) -> Html:
    head = ["Part", "Share", f"{percent(record.confidence, 0)} interval", "Fills", "Middle alone", "Times its size"]
    rows: list[list[str]] = [
        [
            name_of(one.part.replace("_", " ")) if one.part != EVERYWHERE_ELSE else "none of these",
            with_bar(one.share.value or 0.0, percent(one.share.value or 0.0)),
            interval("accuracy", one.share),
            percent(one.area),
            percent(one.centre),
            f"{_times(one):.1f}" if one.area else "",
        ]
        for one in _parts(found)
    ]
    count = counted(found.count, "picture")
    caption = (
        f"{NAMES[found.method]}, {count}: where what speaks for the answer lies. Fills: share of "
        "the picture, which chance would come to. Middle alone: what a look at the middle would. Parts may overlap"
    )
    return table(caption, head, rows, "numbers")
