"""Every error Total ML raises on purpose, and the exit code it ends the process with.

    TotalmlError               1  anything that stopped a run and is explained
    ├── RecipeError            2  mistakes in a recipe, in conf/ or on the command line
    ├── GateError              3  a run that is whole did not pass its gates
    ├── DataError              4  the data is not what the recipe needs
    │   ├── SnapshotError         bad samples, an empty source, a pin that does not match
    │   └── QualityError          a quality check that was told to stop the run
    ├── StoreError             5  the store cannot be read or written: disk full, damaged file
    ├── FeatureError           6  a feature definition does not fit the snapshot
    ├── ModelError             7  a model cannot be built or its weights cannot be loaded
    ├── TrainingError          8  training cannot start or went astray
    ├── EvaluationError        9  there is nothing to evaluate
    ├── SweepError             1  jobs of a sweep failed; what the others came to is kept
    ├── TrackingError          1  runs could not be sent to a tracking backend; they are whole
    ├── AlertError             1  alerts could not be delivered; they are kept
    ├── WorkerError            1  a piece of work ended every process that was given it
    ├── MissingExtraError     10  an optional package that the recipe asks for is not installed
    └── Interrupted          130  Ctrl-C; the run can be continued

Exit code 0 is success. A message names the thing, the value and the mend.
"""

import os
import traceback
from pathlib import Path

TRACEBACK_VARIABLE = "TOTALML_TRACEBACK"


class TotalmlError(Exception):
    """Base of all errors that are shown to the user without a traceback."""

    exit_code = 1

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in a notebook: the message alone, unless tracebacks are asked for."""
        if os.environ.get(TRACEBACK_VARIABLE) == "1":
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]


class RecipeError(TotalmlError):
    """All mistakes of one recipe, one line each.

    Args:
        mistakes: lines such as `recipes/x.yaml:8: unknown key 'training.max_epoch'`.
    """

    exit_code = 2

    def __init__(self, *mistakes: str) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = mistakes


class GateError(TotalmlError):
    """A finished run did not pass its gates; nothing of it is lost.

    Args:
        folder: of its attempt.
    """

    exit_code = 3

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder


class DataError(TotalmlError):
    exit_code = 4


class SnapshotError(DataError):
    pass


class QualityError(DataError):
    pass


class StoreError(TotalmlError):
    exit_code = 5


class FeatureError(TotalmlError):
    exit_code = 6


class ModelError(TotalmlError):
    exit_code = 7


class TrainingError(TotalmlError):
    exit_code = 8


class EvaluationError(TotalmlError):
    exit_code = 9


class SweepError(TotalmlError):
    pass


class TrackingError(TotalmlError):
    pass


class AlertError(TotalmlError):
    pass


class WorkerError(TotalmlError):
    pass


class MissingExtraError(TotalmlError):
    """An optional dependency is missing.

    Args:
        package: the distribution that could not be imported.
        extra: the extra of totalml that brings it; None: none does.
        wanted_by: what asked for it, in the recipe's words.
    """

    exit_code = 10

    def __init__(self, package: str, extra: str | None, wanted_by: str) -> None:
        what = f'"totalml[{extra}]"' if extra else package
        super().__init__(
            f"{wanted_by} needs the package {package!r}, which is not installed. "
            f"Install it with: python -m pip install {what}"
        )


class Interrupted(TotalmlError):
    exit_code = 130
