"""The process beside this one that speaks with W&B: started once, asked by lines of JSON, given up when it is silent.

In a process of its own because wandb hooks into the one that it runs in, and can wait for a backend without end; and
kept from run to run, because importing wandb costs a second and writing a run a tenth of one.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from typing import IO, Any, cast

from totalml.own_code import HOME

COMMAND = ("-m", "totalml.tracking.worker")
KEPT_VARIABLES = ("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_IDENTITY_TOKEN_FILE")  # an account; the recipe has the rest
CHUNK_BYTES = 65_536
LONGEST_WORDS = 300
MARGIN_S = 5.0  # for what comes before and after waiting for a backend


class SilentError(Exception):
    """The companion did not answer in time, or is dead."""


class Companion:
    def __init__(self) -> None:
        self._words = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, *COMMAND],
            stdin=subprocess.PIPE,  # it closes when this process ends, however it does
            stdout=subprocess.PIPE,
            stderr=self._words,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for the run to handle
            bufsize=0,
        )
        self._in, self._out = cast(IO[bytes], self._process.stdin), cast(IO[bytes], self._process.stdout)
        os.set_blocking(self._in.fileno(), False)
        self._asked = self._answered = 0
        self._read = b""

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def tell(self, message: dict[str, Any]) -> None:
        """Send a message without waiting; one that a silent companion has no room for is dropped.

        Raises: SilentError: it is dead.
        """
        line = json.dumps(message).encode() + b"\n"
        try:
            if os.write(self._in.fileno(), line) == len(line):
                self._asked += 1
                return
        except BlockingIOError:
            return
        except OSError as error:
            raise SilentError(self._last_words()) from error
        raise SilentError("it takes no more messages")  # half a line would spoil the next one

    def ask(self, message: dict[str, Any], within_s: float) -> dict[str, Any]:
        """The answer to this message; those to the messages before it are passed over.

        Raises: SilentError: there is none within the time, or the companion died.
        """
        due = time.monotonic() + within_s
        self.tell(message)
        while True:
            answer = self._answer(due)
            if self._answered == self._asked:
                return answer

    def end(self) -> None:
        """Kill it, and what it started."""
        self._process.kill()
        self.close()

    def close(self) -> None:
        """Let it come to its end by itself."""
        self._in.close()
        self._out.close()
        self._words.close()
        if self._process.poll() is None:
            self._process.returncode = 0  # nobody waits for it any more

    def _answer(self, due: float) -> dict[str, Any]:
        while b"\n" not in self._read:
            if not select.select([self._out], [], [], max(0.0, due - time.monotonic()))[0]:
                raise SilentError("it did not answer in time")
            chunk = os.read(self._out.fileno(), CHUNK_BYTES)
            if not chunk:
                raise SilentError(self._last_words())
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        self._answered += 1
        return dict(json.loads(line))

    def _last_words(self) -> str:
        self._words.seek(0)
        lines = self._words.read().decode(errors="replace").split("\n")
        spoken = [line.strip() for line in lines if line.strip()]
        return f"its process ended: {spoken[-1][:LONGEST_WORDS] if spoken else 'without a word'}"


_companions: dict[int, Companion] = {}  # by process: a forked one must not speak through the pipes of its parent


def companion() -> Companion:
    """The living companion of this process, started if there is none."""
    own = _companions.get(os.getpid())
    if own and own.lives:
        return own
    dismiss()
    return _companions.setdefault(os.getpid(), Companion())


def asked(message: dict[str, Any], patience_s: float) -> dict[str, Any]:
    """The companion's answer; one that says what the `problem` is where there is none.

    Args: patience_s: how long the companion itself waits for a backend.
    """
    try:
        return companion().ask(message, patience_s + MARGIN_S)
    except SilentError as error:
        dismiss()
        return {"problem": str(error)}
    except OSError as error:  # no process can be started
        return {"problem": str(error)}


def dismiss() -> None:
    """Kill the companion, if there is one; the next `companion()` starts another."""
    if own := _companions.pop(os.getpid(), None):
        own.end()


@atexit.register
def _leave() -> None:
    if own := _companions.pop(os.getpid(), None):
        own.close()


def _environment() -> dict[str, str]:
    """Of this process, without what a user set for wandb elsewhere, and with this totalml on the path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WANDB_") or key in KEPT_VARIABLES}
    path = [str(HOME.parent), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    quiet = {"WANDB_ERROR_REPORTING": "false", "OMP_NUM_THREADS": "1"}
    return kept | quiet | {"PYTHONPATH": os.pathsep.join(part for part in path if part)}
