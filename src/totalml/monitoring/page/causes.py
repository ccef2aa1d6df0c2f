"""What each cause means to people: whether all is well, what is the matter, what to do; and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

from totalml.monitoring.verdict import CONCEPT, COVARIATE, NONE, QUALITY, SEASON, TOO_FEW, UNKNOWN


@dataclass(frozen=True)
class Meaning:
    """Args:
    kind: CSS class, which gives colour and hatching.
    letter: above its windows, so that nobody needs the colours; empty: of what needs no attention.
    plain: in a few words that need no statistics.
    answer: to whether all is well.
    told: in one sentence; `{season}` is the name of the season.
    to_do: and `command`, which may be empty; `{model}` is its name.
    """

    kind: str
    letter: str
    plain: str
    answer: str
    told: str
    to_do: str
    command: str = ""


MEANINGS = {
    NONE: Meaning(
        "none",
        "",
        "as ever",
        "Yes.",
        "Nothing moved that chance does not explain",
        "Nothing.",
    ),
    SEASON: Meaning(
        "season",
        "S",
        "other than on most days, as expected",
        "Yes.",
        "Other things come in than on most days, as was expected in {season}",
        "Nothing.",
    ),
    QUALITY: Meaning(
        "quality",
        "Q",
        "something is wrong with the data",
        "No.",
        "Something is wrong with the data that comes in",
        "Mend what comes before the model: a camera, an app, a step that resizes. Until then do not trust what it says "
        "of such rows, and train nothing on them.",
    ),
    COVARIATE: Meaning(
        "covariate",
        "N",
        "new things, and it is right on them",
        "Yes, so far.",
        "New things come in, and the model is right on them as far as labels show",
        "Nothing at once. Keep labelling what is new, so that the next model learns it.",
    ),
    CONCEPT: Meaning(
        "concept",
        "C",
        "it errs more often",
        "No.",
        "The model errs more often than it did",
        "Train it again with labels of these days. If there was a release before, and it did better, put that back:",
        'totalml rollback {model} --why "it errs more often"',
    ),
    UNKNOWN: Meaning(
        "unknown",
        "?",
        "new things, and nobody knows whether it is right",
        "Perhaps not.",
        "New things come in, and nobody knows yet whether the model is right on them",
        "Label what is shown below, and hand in the labels; then it can be told:",
        "totalml feedback {model} labels.csv",
    ),
    TOO_FEW: Meaning(
        "few",
        "",
        "too little came",
        "Nobody can tell.",
        "Too little came to say anything",
        "Wait for more. Where this stays so, longer windows hold more: monitoring.window.hours.",
    ),
}


def meaning_of(cause: str) -> Meaning:
    """Of a cause that only a newer version knows, that of one that nobody knows."""
    return MEANINGS.get(cause, MEANINGS[UNKNOWN])
