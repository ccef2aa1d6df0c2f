"""What Lightning tells the user and takes from them: progress, and Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from lightning.pytorch import Callback
from lightning.pytorch.utilities.exceptions import SIGTERMException

from totalml.errors import Interrupted
from totalml.progress import Progress
from totalml.values.shown import short_number

if TYPE_CHECKING:
    from lightning.pytorch import Trainer

    from totalml.kinds import Task
    from totalml.training.history import Epoch
    from totalml.training.learner import Learner

THOUSAND = 1000
REFRESH_S = 1.0  # drawing takes some 4 ms


class Watch(Callback):
    """A bar that moves every second and leaves a line of the first, the best and the last epoch, or a line for each.

    Args:
        epochs: at most.
        steps: in an epoch.
        task: names the score of each epoch.
    """

    def __init__(self, progress: Progress, epochs: int, steps: int, task: Task) -> None:
        self.interrupted = False
        self._progress, self._task = progress, task
        self._epochs, self._steps = epochs, steps
        self._due = 0.0
        self._bar: Any = None
        self._first = self._best = self._last = ""

    def on_train_start(self, trainer: Trainer, pl_module: Learner) -> None:  # type: ignore[override]
        if self._progress.mode == "rich":
            self._bar = _bar()
            self._row = self._bar.add_task("train", total=self._epochs * self._steps, note="")
            self._bar.start()

    def on_train_batch_end(  # type: ignore[override]
        self, trainer: Trainer, pl_module: Learner, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        if self.interrupted:
            raise Interrupted
        if self._bar is None or time.monotonic() < self._due:
            return
        self._due = time.monotonic() + REFRESH_S
        epoch = getattr(pl_module, "epoch", trainer.current_epoch)  # of ours over all attempts
        done = epoch * self._steps + batch_idx + 1
        self._bar.update(self._row, completed=done, description=f"epoch {epoch + 1}/{self._epochs}")
        self._bar.refresh()

    def on_exception(self, trainer: Trainer, pl_module: Any, exception: BaseException) -> None:
        self.close()

    def tell(self, epoch: Epoch, is_best: bool) -> None:
        self._last = (
            f"epoch {epoch.epoch}/{self._epochs}: loss {_number(epoch.train_loss)}, "
            f"validation loss {_number(epoch.validation_loss)}, {self._told(epoch)}"
            f"{', best so far' if is_best else ''} ({epoch.seconds:.1f} s)"
        )
        if self._bar is None:
            self._progress.say(self._last)
            return
        self._first = self._first or self._last
        self._best = self._last if is_best else self._best
        self._bar.update(self._row, note=f"validation {_number(epoch.validation_loss)}, {self._told(epoch)}")

    def _told(self, epoch: Epoch) -> str:
        value = epoch.validation_score
        if math.isnan(value):
            return f"no {self._task.score}"
        return (
            f"{self._task.score} {value:.1%}"
            if self._task.score_is_share
            else f"{self._task.score} {short_number(value)}"
        )

    def close(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
            for line in dict.fromkeys(filter(None, (self._first, self._best, self._last))):
                self._progress.say(line)

    @contextmanager
    def listening(self) -> Iterator[None]:
        """The first Ctrl-C ends training after the step under way; the second ends it at once."""
        if threading.current_thread() is not threading.main_thread():
            yield  # Python delivers signals to the main thread only
            return
        before = signal.signal(signal.SIGINT, self._on_sigint)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _on_sigint(self, number: int, frame: FrameType | None) -> None:
        if self.interrupted:
            raise Interrupted
        self.interrupted = True


# What ends a training from outside. Of SIGTERM Lightning makes the second where it looks before we do, and a process
# that ends by it ends with 0, as if all were done.
STOPS = (Interrupted, SIGTERMException)


def stopped(done: int, most: int | None = None) -> Interrupted:
    """Args: done: whole epochs; most: how many there would have been, where that is known."""
    of = "" if most is None else f" of {most}"
    kept = f"{done}{of} epochs are kept" if done else "no whole epoch was finished"
    return Interrupted(
        f"training stopped in epoch {done + 1}; {kept}. Give the same command again to go on from there."
    )


def _number(loss: float) -> str:
    return f"{loss:.4f}" if abs(loss) < THOUSAND else short_number(loss)


def _bar() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    # Not by rich's own thread: it would redraw, and so hold the interpreter, even when nothing has changed.
    return Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
