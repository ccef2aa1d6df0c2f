"""One label: of which request, of which of its samples, and what is true of it; held to the signature of a release."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.data.paths import is_text
from totalml.errors import DataError
from totalml.evaluation.record import record_of
from totalml.evaluation.truth import shown
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.evaluation.truth import Truth
    from totalml.release.signature import Signature

REQUEST_ID, ID, SAID = "request_id", "id", "label"
KEYS = (REQUEST_ID, ID, SAID)
LONGEST = 1024  # characters of an id
TOLD = 20  # mistakes in one message
UNKNOWN = 5  # keys of a label that are none, in one mistake


@dataclass(frozen=True)
class Label:
    """Args:
    id: of the sample in its request; None: each of its samples.
    values: column of the truth -> what is true; None: not known.
    """

    request_id: str
    id: str | None
    values: Mapping[str, Any]


def truth_of(signature: Signature) -> Truth:
    """What a label of this release's answers may say."""
    return record_of(signature.task).truth(signature.targets)


def read_labels(given: Iterable[Mapping[str, Any] | None], truth: Truth, what: str = "label") -> list[Label]:
    """Labels as a caller writes them: `request_id`, `label`, and `id` where a request has several samples.

    Args:
        given: None: says nothing, and is left out.
        what: each of them is called in a message, before its number.
    Raises: DataError: names all mistakes, or how many there are.
    """
    found: list[Label] = []
    wrong = []
    for number, each in enumerate(given, start=1):
        if each is None:
            continue
        try:
            found.append(_read(each, truth))
        except ValueError as error:
            wrong.append(f"{what} {number}: {error}")
    if wrong:
        more = f"... and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
        raise DataError("\n".join([*wrong[:TOLD], *([more] if more else [])]))
    return found


def _read(given: Mapping[str, Any], truth: Truth) -> Label:
    has = f"; a label has {', '.join(KEYS)}"
    unknown = [name for name in given if name not in KEYS]
    wrong = [f"there is no {shown(name)}{did_you_mean(name, KEYS) or has}" for name in unknown[:UNKNOWN]]
    wrong += [f"nor {len(unknown) - UNKNOWN:,} more that are there"] if len(unknown) > UNKNOWN else []
    for name, needed in ((REQUEST_ID, True), (ID, False)):
        if given.get(name) is None:
            wrong += [f"{name} is missing"] if needed else []
        elif not _is_id(given[name]):
            wrong.append(f"{name} wants a text of 1 to {LONGEST} characters; got {shown(given[name])}")
    values: dict[str, Any] = {}
    if given.get(SAID) is None:
        wrong.append(f"{SAID} is missing")
    else:
        try:
            values = truth.values(given[SAID])
        except ValueError as error:
            wrong.append(str(error))
    if wrong:
        raise ValueError("; ".join(wrong))
    return Label(given[REQUEST_ID], given.get(ID), values)


def _is_id(given: Any) -> bool:
    """A zero byte would make two ids of one; half a character cannot be kept."""
    return isinstance(given, str) and 0 < len(given) <= LONGEST and "\0" not in given and is_text(given)
