"""The channels that the budget goes to, and what each is made of; sources stand in README.md of this folder."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from totalml.target import did_you_mean

VALUE_EUR = 3.5  # what a pint more earns


@dataclass(frozen=True)
class Channel:
    """Args:
    level: EUR that are spent for a thousand people in an average week.
    chases: power of the season that the spend follows; 1 is a constant share of sales.
    decay: share of a week's advertising that is remembered a week later.
    half: EUR a thousand people and week, lasting, at which half of the effect is reached.
    shape: of the Hill curve; above 1 little does nothing.
    effect: pints a thousand people and week that no spend goes beyond.
    """

    level: float
    chases: float
    decay: float
    half: float
    shape: float
    effect: float


CHANNELS: Mapping[str, Channel] = {
    "tv": Channel(level=70.0, chases=1.6, decay=0.65, half=45.0, shape=1.6, effect=58.0),
    "radio": Channel(level=32.0, chases=1.3, decay=0.40, half=34.0, shape=1.4, effect=42.0),
    "outdoor": Channel(level=36.0, chases=1.8, decay=0.35, half=22.0, shape=1.5, effect=27.0),
    "search": Channel(level=45.0, chases=1.4, decay=0.10, half=55.0, shape=1.2, effect=92.0),
    "social": Channel(level=42.0, chases=1.4, decay=0.20, half=60.0, shape=1.3, effect=110.0),
}


def unknown_channels(names: Iterable[str]) -> str:
    """Which of them are no channels, and what may have been meant; empty: they all are."""
    return "; ".join(f"no channel {each!r}{did_you_mean(each, CHANNELS)}" for each in names if each not in CHANNELS)
