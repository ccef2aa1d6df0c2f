"""The library itself: imported without a word to its maker, and kept from changing anything of ours."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from totalml.errors import MissingExtraError

if TYPE_CHECKING:
    from totalml.quality.suites.record import Data


def library(data: Data, wanted_by: str) -> Any:
    """The module `deepchecks.tabular` or `deepchecks.vision`, with its `suites` and `checks`.

    Raises: MissingExtraError: the extra, or a part of it, is not installed.
    """
    # Without this, importing deepchecks reports to its maker over the network.
    os.environ.setdefault("DISABLE_DEEPCHECKS_ANONYMOUS_TELEMETRY", "True")
    try:
        with contained():
            found = import_module(f"deepchecks.{data}")
            import_module(f"deepchecks.{data}.suites")
    except ImportError as error:
        raise MissingExtraError("deepchecks", "deepchecks", wanted_by) from error
    import logging

    import deepchecks

    # At this level it draws no progress bars, and gives no advice.
    deepchecks.set_verbosity(logging.ERROR)
    return found


@contextmanager
def contained() -> Iterator[None]:
    """Its warnings stay unsaid, and the random numbers that it seeds and draws are given back.

    It uses deprecated parts of pandas, numpy, scikit-learn and setuptools; no one here can mend that.
    """
    import random
    import warnings

    import numpy as np
    import torch

    ours = random.getstate(), np.random.get_state(), torch.get_rng_state()
    np.random.seed(0)  # the same answers every time
    try:
        with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
            yield
    finally:
        random.setstate(ours[0])
        np.random.set_state(ours[1])
        torch.set_rng_state(ours[2])
