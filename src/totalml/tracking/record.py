"""`tracking.json` in an attempt's folder: where the run and its release were told of, and whether they arrived."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from totalml.store.atomic import write_json

TRACKING_FILE = "tracking.json"


@dataclass(frozen=True)
class TrackingRecord:
    """Args:
    id: of the W&B run.
    project, entity, group, tags: as W&B was told; None: left to it.
    sent: when all of it had arrived at a backend; None: it has not.
    url: of the run on the backend.
    problem: why it did not arrive, or was not written.
    release: bundle hash of the release that the backend holds; None: it holds none of this run.
    aliases: of the registry that the backend was told point at it.
    """

    id: str
    project: str
    entity: str | None = None
    group: str | None = None
    tags: tuple[str, ...] = ()
    sent: str | None = None
    url: str | None = None
    problem: str | None = None
    release: str | None = None
    aliases: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        write_json(folder / TRACKING_FILE, asdict(self))

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """None: the run was never tracked, or the file is no such record."""
        try:
            values = json.loads((folder / TRACKING_FILE).read_text(encoding="utf-8"))
            return cls(**{**values, **{key: tuple(values.get(key, ())) for key in ("tags", "aliases")}})
        except (OSError, ValueError, KeyError, TypeError):
            return None


def is_due(mode: str, folder: Path) -> bool:
    """Whether a finished run has not been told of as `tracking.mode` asks now."""
    record = TrackingRecord.load(folder)
    if mode == "none" or (record and record.sent):
        return False
    return mode == "wandb" or record is None or record.problem is not None


def wandb_id(facts: dict[str, Any]) -> str:
    """The same for an attempt wherever it is told of; another for attempt 1 of the same run on another machine.

    Args:
        facts: of `run.json`.
    """
    return f"{facts['run_id']}-{facts['attempt']}-{facts['key'][:4]}"
