"""What reviewers say: a verdict about an item, a remark on a verdict of theirs, that one is taken back.

Each has a key that the page chose, so that what is sent twice is said once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from totalml.errors import StoreError
from totalml.evaluation.truth import Truth, shown
from totalml.review.item import ASK_LABEL, OF_PLANS

LABEL, CANNOT_TELL, WRONG_SUBJECT, AGREES = "label", "cannot_tell", "wrong_subject", "agrees"
KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
PLAN_REASONS = ("I do not know enough about it", "it depends on something else", "the figures are not clear to me")
LONGEST_COMMENT = 2000  # characters
LONGEST_SECONDS = 3600.0  # an item that lay open longer was not looked at so long


@dataclass(frozen=True)
class Verdict:
    """Args:
    item, who: of the item and the reviewer.
    when: UTC, ISO 8601, as the service took it.
    answer: one of {label: column of the truth -> value}, {cannot_tell: reason}, {wrong_subject: true}, and of what is
        no label {agrees: true or false, at: [x, y] in [0, 1]}.
    seconds: that it took.
    shown: what the reviewer saw before: the release that was judged, and whether its answer was to be seen.
    """

    key: str
    item: str
    who: str
    when: str
    answer: Mapping[str, Any]
    seconds: float = 0.0
    shown: Mapping[str, Any] = field(default_factory=dict)
    comment: str = ""

    @property
    def label(self) -> Mapping[str, Any] | None:
        """Column of the truth -> value; None: the reviewer gave none."""
        return self.answer.get(LABEL)


@dataclass(frozen=True)
class Remark:
    """After the model's answer was shown. Args: at: (x, y) in [0, 1] of the picture: what it should have looked at;
    None: nothing is wrong with where it looked.
    """

    key: str
    verdict: str
    who: str
    when: str
    at: Sequence[float] | None = None
    comment: str = ""


@dataclass(frozen=True)
class Withdrawal:
    key: str
    verdict: str
    who: str
    when: str


Entry = Verdict | Remark | Withdrawal
KINDS: Mapping[str, type[Entry]] = {"verdict": Verdict, "remark": Remark, "withdrawn": Withdrawal}


def now() -> str:
    """As `when` holds it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def as_json(entry: Entry) -> dict[str, Any]:
    kind = next(name for name, kind in KINDS.items() if isinstance(entry, kind))
    return {"kind": kind, **asdict(entry)}


def from_json(values: Mapping[str, Any]) -> Entry:
    """Raises: StoreError: a newer version wrote it."""
    given = dict(values)
    try:
        return KINDS[given.pop("kind")](**given)
    except (KeyError, TypeError) as error:
        raise StoreError(f"a verdict was written by a newer version ({error}); update totalml") from error


def reasons_of(ask: str, given: Iterable[str]) -> tuple[str, ...]:
    """Why somebody cannot tell. Args: given: by the recipe, of labels and pictures; of a plan they say nothing."""
    return PLAN_REASONS if ask in OF_PLANS else (*given,)


def read_answer(given: Any, ask: str, truth: Truth, reasons: Iterable[str]) -> dict[str, Any]:
    """What a reviewer answered, as `Verdict` holds it.

    Args: ask: as the item says. reasons: that the recipe gives for who cannot tell.
    Raises: ValueError: it is no answer to such an item; says why.
    """
    kinds = (LABEL if ask == ASK_LABEL else AGREES, CANNOT_TELL, *(() if ask in OF_PLANS else (WRONG_SUBJECT,)))
    if not isinstance(given, Mapping) or sum(kind in given for kind in kinds) != 1:
        raise ValueError(f"the answer wants one of {', '.join(kinds)}; got {shown(given)}")
    if unknown := {*given} - {*kinds, *(("at",) if ask != ASK_LABEL else ())}:
        raise ValueError(f"the answer has no {', '.join(sorted(map(str, unknown)))}")
    if LABEL in given:
        return {LABEL: truth.values(given[LABEL])}
    if CANNOT_TELL in given:
        if given[CANNOT_TELL] not in (known := ("", *reasons_of(ask, reasons))):
            raise ValueError(f"{shown(given[CANNOT_TELL])} is no reason; there are {', '.join(known[1:])}")
        return {CANNOT_TELL: given[CANNOT_TELL]}
    if WRONG_SUBJECT in given:
        if given[WRONG_SUBJECT] is not True:
            raise ValueError(f"{WRONG_SUBJECT} is true or left out")
        return {WRONG_SUBJECT: True}
    if not isinstance(given[AGREES], bool):
        raise ValueError(f"{AGREES} is true or false; got {shown(given[AGREES])}")
    at = read_place(given.get("at"))
    return {AGREES: given[AGREES]} | ({} if at is None else {"at": at})


def read_place(given: Any) -> list[float] | None:
    """A place in a picture. Raises: ValueError: it is none."""
    if given is None:
        return None
    whole = isinstance(given, Sequence) and len(given) == 2 and not isinstance(given, str)
    if not whole or not all(type(each) in (int, float) and 0 <= each <= 1 for each in given):
        raise ValueError(f"a place in the picture is [x, y], each from 0 to 1; got {shown(given)}")
    return [float(each) for each in given]
