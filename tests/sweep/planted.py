"""A job that trains nothing: what it comes to follows from its learning rate, and it leaves what a run leaves."""

import json
import math
import os
import signal
import time
from pathlib import Path

from totalml.data import take_snapshot
from totalml.errors import TrainingError
from totalml.recipe import Recipe
from totalml.runs import open_runs
from totalml.runs.attempt import METRICS_FILE, RESULTS, TRAINING_FILE, attempts_of, new_attempt
from totalml.runs.identity import RunIdentity, finished_attempt
from totalml.store import Store
from totalml.training.history import Epoch
from totalml.training.listen import tell_listener

BEST_RATE = 0.01


def loss_of(rate: float) -> float:
    """Least at `BEST_RATE`."""
    return abs(math.log10(rate / BEST_RATE)) + 0.1


def live(recipe: Recipe) -> Path:
    """Leave a finished attempt; `question` says what goes wrong instead."""
    rate = recipe.training.optimizer.arguments["lr"]
    data_hash = take_snapshot(recipe.data, Store(Path(recipe.runtime.store))).data_hash
    identity = RunIdentity(recipe, data_hash, open_runs(recipe.runtime))
    if found := finished_attempt(identity):
        return found.folder
    _go_wrong(recipe.question, rate)
    loss = loss_of(rate)
    for epoch in range(1, recipe.training.epochs + 1):
        tell_listener(Epoch(epoch, loss, loss + 1 / epoch, 0.5, rate, 0.01), recipe.training.epochs)
    return _attempt(identity, loss)


def _go_wrong(how: str, rate: float) -> None:
    if rate != 0.5:
        return
    if how == "refuse":
        raise TrainingError("a rate of 0.5 is refused")
    if how == "bug":
        raise ZeroDivisionError("nobody foresaw this")
    if how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "sleep":
        time.sleep(60)


def _attempt(identity: RunIdentity, loss: float) -> Path:
    # One that its process was killed in may stand there.
    assert all(each.status != "finished" for each in attempts_of(identity.folder)[0]), "a finished run was done again"
    attempt = new_attempt(identity.folder, {**identity.facts(), "status": "running"})
    with attempt.recorded():
        for file in RESULTS:
            (attempt.folder / file).write_text("x")
        metrics = {"metrics": {"accuracy": {"value": 1 - loss / 10}}}
        (attempt.folder / METRICS_FILE).write_text(json.dumps(metrics))
        best = {"epoch": 2, "validation_loss": loss, "validation_score": 0.5}
        training = {"best_epoch": 2, "history": [best | {"epoch": 1, "validation_loss": 9.0}, best]}
        (attempt.folder / TRAINING_FILE).write_text(json.dumps(training))
        attempt.save(seconds={"training": 1.5})
    return attempt.folder
