"""What a monitor found, as plain values within bounds, so that whatever a caller sends can be told, kept and counted.

Nothing is refused: an alert with a text cut short is worth more than none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from totalml.recipe.alerting import SEVERITIES

WORD, SENTENCE, ID = 120, 600, 1024  # characters
COMMAND = 4000  # and the sentence around it: cut short it would do something else
SAMPLES, EVIDENCE = 60, 40  # that are kept of each
DEEPEST, WIDEST = 4, 60  # of a piece of evidence
CUT = "…"
EXACT = 2**53  # what is written of a larger number may be read as a whole one, which the journal refuses


@dataclass(frozen=True)
class Sample:
    """One that shows it, and may be worth a label.

    Args:
        request_id, id: as in the prediction log; no id: each sample of the request.
        input: hash of what was sent, by which its picture is found where it was kept; empty: unknown.
        release: that answered it; empty: that of the alert.
        probability: in (0, 1], with which it was drawn; what is learnt from its label is weighted by its inverse.
    """

    request_id: str
    id: str = ""
    input: str = ""
    release: str = ""
    probability: float = 1.0


@dataclass(frozen=True)
class Finding:
    """Args:
    verdict: such as `concept`; `totalml.recipe.alerting.VERDICTS`.
    severity: page, or ticket.
    sentence: what happened, for people who do not know the tests.
    what: it is about, such as a slice; with the verdict it says which findings are one alert.
    release: bundle hash of what answered; empty: none did.
    evidence: plain values, of each piece.
    since: when it began, ISO 8601; empty: nobody knows.
    between: the interval in which it began.
    samples: the most telling first.
    """

    verdict: str
    severity: str
    sentence: str
    what: str = ""
    release: str = ""
    evidence: tuple[Mapping[str, Any], ...] = ()
    since: str = ""
    between: tuple[str, str] | None = None
    samples: tuple[Sample, ...] = field(default=())

    @property
    def key(self) -> str:
        return f"{self.verdict}: {self.what}"

    def bounded(self) -> Self:
        """The same, as it can be written down."""
        return type(self)(
            verdict=short_text(self.verdict, WORD),
            severity=self.severity if self.severity in SEVERITIES else SEVERITIES[-1],
            sentence=short_text(self.sentence, SENTENCE),
            what=short_text(self.what, WORD),
            release=short_text(self.release, WORD),
            evidence=tuple(_piece(each) for each in self.evidence[:EVIDENCE]),
            since=short_text(self.since, WORD),
            between=self.between and (short_text(self.between[0], WORD), short_text(self.between[1], WORD)),
            samples=_kept(self.samples),
        )

    def as_json(self) -> dict[str, Any]:
        """Of one that is bounded."""
        return asdict(self) | {
            "evidence": [dict(each) for each in self.evidence],
            "between": self.between and [*self.between],
            "samples": [asdict(each) for each in self.samples],
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises: KeyError, TypeError, ValueError: it is none."""
        samples = tuple(Sample(**each) for each in values["samples"])
        between = values["between"] and (values["between"][0], values["between"][1])
        found = cls(**{**values, "evidence": tuple(values["evidence"]), "between": between, "samples": samples})
        if found.severity not in SEVERITIES or not isinstance(found.sentence, str):
            raise ValueError(f"a severity {found.severity!r}")
        return found


def short_text(text: Any, longest: int) -> str:
    """One line without control characters, cut where it is too long."""
    line = " ".join(str(text)[: 4 * longest].split())
    line = "".join(each if each.isprintable() else "?" for each in line)
    return line if len(line) <= longest else line[: longest - 1] + CUT


def plain(value: Any, depth: int = 0) -> Any:
    """JSON that every machine reads the same: numbers that are none as words, what is deep or wide cut off."""
    if isinstance(value, str | bool) or value is None:
        return short_text(value, SENTENCE) if isinstance(value, str) else value
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # a scalar of numpy or pyarrow
        value = value.item()
    if isinstance(value, int | float):
        return value if abs(value) < EXACT else _large(value)
    if depth >= DEEPEST:
        return CUT
    if isinstance(value, Mapping):
        return {short_text(key, WORD): plain(each, depth + 1) for key, each in [*value.items()][:WIDEST]}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [plain(each, depth + 1) for each in value[:WIDEST]]
    if hasattr(value, "tolist"):
        return plain(value.tolist(), depth)
    return short_text(value, WORD)


def _large(value: float) -> str:
    try:
        return f"{float(value):.6g}"
    except OverflowError:  # a whole number of hundreds of digits
        return "inf" if value > 0 else "-inf"


def _piece(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(plain(value)) if isinstance(value, Mapping) else {"value": plain(value)}


def _kept(samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Those whose ids can be kept as they are: cut short, an id would name another request, or none."""
    exact = [each for each in samples if all(map(_is_exact, (each.request_id, each.id, each.input, each.release)))]
    return tuple(each if 0 < each.probability <= 1 else replace(each, probability=1.0) for each in exact[:SAMPLES])


def _is_exact(text: str) -> bool:
    return len(text) <= ID and not any("\ud800" <= each <= "\udfff" for each in text)
