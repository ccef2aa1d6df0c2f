"""Samples become snapshots: read, checked, stored once, and named by their data hash."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.data.changes import describe_changes
    from totalml.data.folder import ImageFolder
    from totalml.data.image import UnreadableImage, decode, inspect, pgm, ppm
    from totalml.data.memory import remembered_hash, say_pin
    from totalml.data.sample import BadSample, Ignored, Sample
    from totalml.data.snapshot import Snapshot, load_snapshot
    from totalml.data.split import split_samples
    from totalml.data.splits import Splits, split_table
    from totalml.data.stored_snapshot import StoredSnapshot
    from totalml.data.table import ImageTable
    from totalml.data.take import take_snapshot

__all__ = [
    "BadSample",
    "Ignored",
    "ImageFolder",
    "ImageTable",
    "Sample",
    "Snapshot",
    "Splits",
    "StoredSnapshot",
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

__getattr__ = lazy_exports(__name__)
