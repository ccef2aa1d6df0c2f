"""Take in what others said elsewhere: held to the items that were asked about, all mistakes at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from totalml.identity import canonical, digest, short
from totalml.review.exchange.said_of_item import SaidOfItem, require_none
from totalml.review.item import items_of
from totalml.review.said import LABEL, LONGEST_COMMENT, LONGEST_SECONDS, Verdict, read_answer

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.evaluation.truth import Truth
    from totalml.review.reviews import Reviews

KEY_DIGITS = 32


def take_in(
    reviews: Reviews, said: Sequence[SaidOfItem], file: Path, who: str, truth: Truth, reasons: Iterable[str]
) -> int:
    """Keep them as verdicts; what somebody has said already is left out.

    Args: who: gave them all, whatever the file calls them; empty: as the file says.
    Returns: how many are new. Raises: DataError: names all mistakes; then nothing is kept.
    """
    reviews.look()
    asks = {item.item: item.ask for batch in reviews.batches for item in items_of(reviews.items(batch))}
    now, known = datetime.now(UTC).isoformat(timespec="seconds"), [*reasons]
    found, wrong = [], []
    if who and len(named := sorted({each.who for each in said if each.who})) > 1:
        wrong.append(f"it names {', '.join(named)}, whose verdicts --who {who} would make one person's; leave that out")
    for each in said:
        name = who or each.who
        try:
            if each.item not in asks:
                raise ValueError(f"nobody was asked about item {each.item[:64]!r} of {reviews.model}")
            if not name or len(name) > 64 or not name.isprintable():
                raise ValueError("it does not say who said it in 1 to 64 characters; give --who NAME")
            answer = read_answer(_as_given(each.answer, truth), asks[each.item], truth, known)
        except ValueError as error:
            wrong.append(f"{each.where}: {error}")
            continue
        last = reviews.last_of(each.item, name)
        if last is None or dict(last.answer) != answer:
            content = canonical([each.item, name, each.when, answer])
            key = short(digest("imported verdict v1", content), KEY_DIGITS)
            seconds = min(each.seconds, LONGEST_SECONDS)
            shown = {"imported": now}
            comment = each.comment[:LONGEST_COMMENT]
            found.append(Verdict(key, each.item, name, _when(each.when, now), answer, seconds, shown, comment))
    require_none(file, wrong)
    return len(reviews.say(found)) if found else 0


def _as_given(answer: Any, truth: Truth) -> dict[str, Any]:
    """As a caller writes a label: the value where there is one column."""
    label = answer.get(LABEL)
    if isinstance(label, dict) and len(truth.columns) == 1 and len(label) == 1:
        return {**answer, LABEL: next(iter(label.values()))}
    return dict(answer)


def _when(given: str, now: str) -> str:
    """Of a time without a zone, or that is still to come, nothing is believed."""
    try:
        when = datetime.fromisoformat(given)
    except ValueError:
        return now
    if when.utcoffset() is None or when > datetime.fromisoformat(now):
        return now
    return when.astimezone(UTC).isoformat(timespec="seconds")
