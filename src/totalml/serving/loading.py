"""Bring a release into memory, ready to answer the first caller as quickly as all others."""

from __future__ import annotations

import numpy as np

from totalml.data.image import ppm
from totalml.deployment.stages import LIVE
from totalml.errors import ModelError, TotalmlError
from totalml.release.bundle import Bundle
from totalml.release.scorer import Scorer
from totalml.serving.answers import answer_of
from totalml.serving.columns import table_of
from totalml.serving.exchange import Answered, Arm, Asked, Loaded


def load(bundle: Bundle, threads: int) -> Loaded:
    """Warmed up: the first batch is slower than all others.

    Raises: StoreError: any file is gone or changed. ModelError: the model cannot be loaded.
    """
    bundle.verify()
    try:
        return _warmed_up(bundle, Scorer.load(bundle, threads))
    except TotalmlError:
        raise
    except Exception as error:  # whatever its files say
        raise ModelError(
            f"release {bundle.hash} cannot answer ({type(error).__name__}: {error}). Release the run again."
        ) from error


def _warmed_up(bundle: Bundle, scorer: Scorer) -> Loaded:
    """By a sample of nothing, from what a caller gives to what one gets."""
    pictures = [ppm(np.zeros((1, 1, 3), np.uint8))] if scorer.image else None
    nothing = {name: [None] for name in scorer.signature.columns}
    rows = table_of(nothing, 1, scorer.signature) if nothing else None
    asked = Asked("", ["nothing"], pictures, rows, scorer.explains)
    inputs = scorer.inputs(asked.ids, pictures, rows)
    loaded = Loaded(bundle, scorer, scorer.score(inputs, scorer.explains))
    answer_of(asked, Answered(Arm(LIVE, loaded), loaded.nothing, 0, 1, inputs))
    return loaded
