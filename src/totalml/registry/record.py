"""Since an event of the journal, an alias points at this attempt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from totalml.runs.attempt import Attempt


REGISTERED = "registered"


@dataclass(frozen=True)
class Promotion:
    """Args:
    when: UTC, ISO 8601.
    weights: digest of the model's weights, by which it is known again wherever its files lie.
    who: the user of the machine.
    how: registered, promoted, rolled back, carried over.
    release: its bundle hash; empty: none was made of the run.
    forced: gates and checks that did not pass and were overruled.
    """

    when: str
    alias: str
    run_id: str
    attempt: int
    weights: str
    who: str
    why: str = ""
    how: str = "promoted"
    release: str = ""
    forced: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """What the other verbs take: `<run id>/<attempt>`."""
        return f"{self.run_id}/{self.attempt}"

    def folder(self, recipe: Path) -> Path:
        """Of the attempt, below the recipe's folder of runs."""
        return recipe / self.run_id / str(self.attempt)

    def names(self, attempt: Attempt) -> bool:
        """Whether it is this attempt that the alias was pointed at."""
        facts = attempt.facts
        found = (facts["run_id"], attempt.number, facts.get("outputs", {}).get("weights"))
        return found == (self.run_id, self.attempt, self.weights)

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"forced": list(self.forced)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises: TypeError, ValueError: they are none."""
        found = cls(**{**values, "forced": tuple(values.get("forced", ()))})
        if not all(isinstance(getattr(found, key), kind) for key, kind in _KINDS.items()):
            raise ValueError("a value of the wrong type")
        return found


_KINDS = {key: {"attempt": int, "forced": tuple}.get(key, str) for key in Promotion.__dataclass_fields__}
