"""What an interrupted training needs to go on, as plain values that load under `weights_only=True`."""

from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from totalml.store.atomic import write_atomically
from totalml.training.history import Epoch

FORMAT = "totalml checkpoint v2"


class UnusableCheckpoint(Exception):
    """Why a checkpoint is not used; training then starts over."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after a whole epoch.

    Args:
        fingerprint: digest of all that the weights depend on; another one makes the checkpoint useless.
        network, optimizer, schedule: their `state_dict()`; optimizer and schedule are empty in best.ckpt.
        history: of all epochs so far.
        losses: (S,) float64, of each training step so far.
    """

    fingerprint: str
    network: dict[str, Any]
    optimizer: dict[str, Any]
    schedule: dict[str, Any]
    history: tuple[Epoch, ...]
    losses: Tensor

    def save(self, path: Path) -> None:
        values = {
            "format": FORMAT,
            "fingerprint": self.fingerprint,
            "network": self.network,
            "optimizer": self.optimizer,
            "schedule": self.schedule,
            "history": [asdict(epoch) for epoch in self.history],
            "losses": self.losses,
        }
        buffer = io.BytesIO()
        torch.save(values, buffer)
        write_atomically(path, buffer.getvalue())

    @classmethod
    def load(cls, path: Path, fingerprint: str) -> Self:
        """Raises: UnusableCheckpoint: damaged, or of another training."""
        try:
            with zipfile.ZipFile(path) as archive:  # torch.load does not look at the checksums
                if damaged := archive.testzip():
                    raise UnusableCheckpoint(f"{path} is damaged in {damaged}")
            values = torch.load(path, map_location="cpu", weights_only=True)
        except (
            OSError,
            RuntimeError,
            EOFError,
            ValueError,
            KeyError,
            pickle.UnpicklingError,
            zipfile.BadZipFile,
        ) as error:
            raise UnusableCheckpoint(f"{path} is damaged ({type(error).__name__})") from error
        if not isinstance(values, dict) or values.get("format") != FORMAT:
            raise UnusableCheckpoint(f"{path} is not a checkpoint of this version of totalml")
        if values["fingerprint"] != fingerprint:
            raise UnusableCheckpoint(f"{path} belongs to another recipe or other data")
        history = tuple(Epoch(**epoch) for epoch in values["history"])
        network, optimizer, schedule = (values[name] for name in ("network", "optimizer", "schedule"))
        return cls(fingerprint, network, optimizer, schedule, history, values["losses"])
