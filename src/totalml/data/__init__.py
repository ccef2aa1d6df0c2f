"""Samples become snapshots: read, checked, stored once, and named by their data hash."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.data.changes import describe_changes
    from totalml.data.folder import ImageFolder
    from totalml.data.image import UnreadableImage, decode, inspect, pgm, ppm
    from totalml.data.memory import remembered_hash, say_pin
    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.snapshot import Snapshot, load_snapshot
    from totalml.data.split import split_samples
    from totalml.data.splits import Splits, split_table
    from totalml.data.table import ImageTable
    from totalml.data.take import take_snapshot

_HOME = {
    "BadSample": "sample",
    "Ignored": "sample",
    "ImageFolder": "folder",
    "ImageTable": "table",
    "Sample": "sample",
    "Snapshot": "snapshot",
    "Splits": "splits",
    "UnreadableImage": "image",
    "decode": "image",
    "describe_changes": "changes",
    "inspect": "image",
    "load_snapshot": "snapshot",
    "pgm": "image",
    "ppm": "image",
    "remembered_hash": "memory",
    "say_pin": "memory",
    "split_samples": "split",
    "split_table": "splits",
    "take_snapshot": "take",
}

__all__ = [
    "BadSample",
    "Ignored",
    "ImageFolder",
    "ImageTable",
    "Sample",
    "Snapshot",
    "Splits",
    "UnreadableImage",
    "decode",
    "describe_changes",
    "inspect",
    "load_snapshot",
    "pgm",
    "ppm",
    "remembered_hash",
    "say_pin",
    "split_samples",
    "split_table",
    "take_snapshot",
]


def __getattr__(name: str) -> Any:
    if name in _HOME:
        return getattr(import_module(f"totalml.data.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
