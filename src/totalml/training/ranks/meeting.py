"""Where the ranks of one training meet, as rank 0 writes it down for the others."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from datetime import timedelta

MEETING_FILE = "ranks.json"


@dataclass(frozen=True)
class Meeting:
    """Args:
    folder: of the attempt; its recipe.yaml and run.json say what is trained on which data.
    """

    folder: str
    address: str
    port: int
    world_size: int

    @property
    def file(self) -> Path:
        return Path(self.folder) / MEETING_FILE

    def save(self) -> None:
        write_atomically(self.file, f"{json.dumps(asdict(self), indent=2)}\n".encode())

    @classmethod
    def load(cls, file: Path) -> Self:
        return cls(**json.loads(file.read_bytes()))

    def store(self, timeout: timedelta) -> Any:
        """torch's key-value store that rank 0 serves."""
        from torch.distributed import TCPStore  # type: ignore[attr-defined]

        return TCPStore(self.address, self.port, None, False, timeout)
