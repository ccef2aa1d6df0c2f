"""Whether a finished run still holds what it came to: a run that lost or changed a result can prove nothing."""

from __future__ import annotations

from totalml.comparison.metrics import read_metrics, read_predictions
from totalml.errors import StoreError
from totalml.runs.attempt import METRICS_FILE, PREDICTIONS_FILE, WEIGHTS_FILE, Attempt
from totalml.training.history import TrainedModel, read_steps


def require_whole(attempt: Attempt) -> None:
    """Raises: StoreError: a result is missing, damaged, or no longer the one that `run.json` names."""
    from totalml.model.saved import weights_digest

    folder = attempt.folder
    if lost := attempt.lost():
        raise StoreError(f"{folder} has lost {', '.join(lost)}; run the recipe again")
    read_metrics(folder / METRICS_FILE)
    read_steps(folder)
    trained = TrainedModel.load(folder)
    if read_predictions(folder / PREDICTIONS_FILE) is None:
        raise StoreError(f"{folder / PREDICTIONS_FILE} cannot be read; run the recipe again")
    found = weights_digest((folder / WEIGHTS_FILE).read_bytes())
    if not found == trained.weights_digest == attempt.facts["outputs"]["weights"]:
        raise StoreError(f"{folder / WEIGHTS_FILE} is no longer the model that the run came to; run the recipe again")
