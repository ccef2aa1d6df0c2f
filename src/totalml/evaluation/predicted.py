"""What a model predicted of the test split, beside the truth and all that else is known of the samples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from totalml.evaluation.columns import SampleContext

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Known:
    """What is true of all samples of the snapshot, whatever their split.

    Args:
        values: (S,) or (S, T), as the truth.
        train, test: rows of the two splits.
        times: (S,) int64 microseconds UTC; None if a sample has no timestamp.
    """

    values: NDArray[Any]
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    times: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Predicted:
    """Args:
    names: of classes, of labels, or of columns.
    ids: (N,) of the test samples.
    truth: (N,) int64 index into names, or (N, T) float32.
    answers: (N, A) float32, as the task's `answers` gives them.
    seed: of resampling.
    gold: (N,) what is surely true, None where unknown; None if the recipe names no gold column.
    validation: truth and answers of the validation split, for what is fitted after training; None if it is empty.
    known: what is true beyond the test split; None where nobody asks.
    context: metadata, for slices and groups; without it there are none.
    groups: (N,) of samples that are one fact, such as photos of one pub; None: each is its own.
    """

    names: Sequence[str]
    ids: Sequence[str]
    truth: NDArray[Any]
    answers: NDArray[Any]
    seed: int
    gold: Sequence[str | None] | None = None
    validation: tuple[NDArray[Any], NDArray[Any]] | None = None
    known: Known | None = None
    context: SampleContext | None = None
    groups: Sequence[str] | None = None
