"""What each detector is called, and what it asks, for people."""

from __future__ import annotations

from math import exp, log

from totalml.monitoring.page.nearness import BY_LOGARITHM
from totalml.monitoring.verdict import (
    OF_ATTRIBUTION,
    OF_ESTIMATE,
    OF_FAIRNESS,
    OF_LABELS,
    OF_LEVERS,
    OF_PERIODS,
    OF_QUALITY,
    OF_SEASON,
    OF_SLICES,
    OF_STREAM,
    OF_WINDOW,
    Evidence,
)
from totalml.release.log_rows import spoken
from totalml.report.number_format import chance

# In the order in which they are asked about; (name, question).
DETECTORS = {
    OF_QUALITY: ("Quality of the data", "Is what comes in whole and as it should be?"),
    OF_LABELS: ("Labels", "Does the model err more often than it did?"),
    OF_LEVERS: ("Levers", "Does each lever still do what the model says?"),
    OF_PERIODS: ("Whole periods", "Is it as wrong of all series at once as it hardly ever was?"),
    OF_SLICES: ("Groups", "Does it err more often for some?"),
    OF_FAIRNESS: ("Shares", "Does it choose some more often than it did?"),
    OF_ATTRIBUTION: ("Where it looks", "Does it look at the same parts of pictures as it did?"),
    OF_ESTIMATE: ("Its own estimate", "How right does it believe itself to be?"),
    OF_WINDOW: ("Each window", "Does what came look like what the model was made for?"),
    OF_STREAM: ("All windows together", "Do small differences add up over time?"),
    OF_SEASON: ("Season", "Does it look like that season did?"),
}
SPOKEN = {"metadata:": "", "property:": "picture: ", "answer:": "what it says: ", "attribution:": "where it looks: "}
MOST_ODDS = 1e9
LONGEST = 300  # characters of what a detector says


def title(detector: str) -> str:
    return DETECTORS[detector][0] if detector in DETECTORS else detector


def question(detector: str) -> str:
    return DETECTORS[detector][1] if detector in DETECTORS else ""


def in_order(found: set[str]) -> list[str]:
    """Those that we know first."""
    return [name for name in DETECTORS if name in found] + sorted(found - DETECTORS.keys())


def column(name: str) -> str:
    """`picture: brightness` of `property:brightness`: without the beginning that the log gives it."""
    for prefix, words in SPOKEN.items():
        if name.startswith(prefix):
            return words + spoken(name.removeprefix(prefix))
    return "how pictures look to the model" if name == "embedding" else spoken(name)


def measured(evidence: Evidence) -> str:
    """What was held against what: a chance or, of what adds up, odds."""
    value, level = evidence.value, evidence.level
    if value is None or level is None:
        return ""
    if evidence.detector in BY_LOGARITHM:
        return f"evidence {odds(value)}; found at {odds(level)}"
    return f"by chance alone: {chance(value)}; found below {_rare(level)}"


def odds(logarithm: float) -> str:
    """`160,000 to 1`. Args: logarithm: natural."""
    if logarithm >= log(MOST_ODDS):
        return f"over {MOST_ODDS:,.0f} to 1"
    value = exp(logarithm)
    # Three digits, as more of them say nothing.
    return f"{float(f'{value:.3g}'):,.0f} to 1" if value >= 10 else f"{value:.2g} to 1"


def cut(text: str, most: int = LONGEST) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _rare(level: float) -> str:
    return f"1 in {round(1 / level):,}" if level > 0 else "never"
