"""What the companion runs: reads a message a line, writes an answer a line, and ends when nobody asks any more."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from totalml.tracking.wandb_alert import send_alert
from totalml.tracking.wandb_release import send_release
from totalml.tracking.wandb_run import WandbRun

LONGEST = 300  # characters of a problem


class Worker:
    """At most one W&B run is open at a time."""

    def __init__(self) -> None:
        self._open: WandbRun | None = None

    def do(self, message: dict[str, Any]) -> dict[str, Any]:
        kind = message.pop("do")
        if kind == "open":
            self._open = WandbRun(**message)
        elif kind == "epoch" and self._open:
            self._open.epoch(message["values"])
        elif kind == "fail":
            self.abandon()
        elif kind == "write":
            run, self._open = self._open or WandbRun(**message), None
            return {"url": run.complete()}
        elif kind == "release":
            send_release(**message)
        elif kind == "alert":
            send_alert(**message)
        return {}

    def abandon(self) -> None:
        """Mark an open run as failed."""
        run, self._open = self._open, None
        if run:
            run.finish(exit_code=1)


def main() -> None:
    # wandb and what it starts may print; answers go where nobody else writes.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        try:
            answer = worker.do(json.loads(line))
        except Exception as error:  # wandb has errors of every kind; the run that asked goes on
            answer = {"problem": f"{type(error).__name__}: {' '.join(str(error).split())}"[:LONGEST]}
        try:
            answers.write(json.dumps(answer) + "\n")
        except OSError:
            break
    worker.abandon()


if __name__ == "__main__":
    main()
