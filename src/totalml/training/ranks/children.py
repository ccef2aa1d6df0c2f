"""The further ranks on this machine: started, watched, and gone when rank 0 is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

COMMAND = ("-m", "totalml.training.ranks.worker")
LAST_WORDS_S = 5.0  # a rank that is dying is given this long to be dead
FAREWELL_S = 30.0  # after the last epoch
# What clusters and launchers tell a process about itself: a child has another place, and is told so in its arguments.
_FOREIGN = re.compile(
    r"^(SLURM|SLURMD|TORCHELASTIC|PMI|PMIX|OMPI)_"
    r"|^((LOCAL|GROUP|ROLE)_)?(RANK|WORLD_SIZE)$|^(NODE_RANK|ROLE_NAME|MASTER_ADDR|MASTER_PORT)$"
)


class Children:
    """Args:
    lost: called, in a thread of its own, when one ends badly.
    """

    def __init__(self, lost: Callable[[], None]) -> None:
        self._lost = lost
        self._processes: dict[int, subprocess.Popen[bytes]] = {}
        self._logs: dict[int, Path] = {}
        self._ended: list[tuple[int, int]] = []  # rank and exit code, in order

    def start(self, meeting_file: Path, rank: int) -> None:
        log = meeting_file.with_name(f"rank-{rank}.log")
        with log.open("ab") as file:
            process = subprocess.Popen(  # noqa: S603
                [sys.executable, *COMMAND, str(meeting_file), str(rank)],
                stdin=subprocess.PIPE,  # it closes when this process ends, however it does
                stdout=file,
                stderr=file,
                env=child_environment(),
                start_new_session=True,  # Ctrl-C is for rank 0 to handle
            )
        self._processes[rank], self._logs[rank] = process, log
        threading.Thread(target=self._attend, args=(rank, process), daemon=True).start()

    def loss(self, within_s: float = 0.0) -> str | None:
        """What the first rank to end left behind, in a sentence; None if all live."""
        due = time.monotonic() + within_s
        while not self._ended and time.monotonic() < due:
            time.sleep(0.02)
        if not self._ended:
            return None
        rank, code = self._ended[0]
        how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return f"rank {rank} {how}: {_last_line(self._logs[rank])}. Its log: {self._logs[rank]}"

    def __enter__(self) -> Children:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: Any, traceback: TracebackType | None) -> None:
        due = time.monotonic() + (FAREWELL_S if kind is None else 0.0)
        for process in self._processes.values():
            try:
                process.wait(max(0.0, due - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin:
                process.stdin.close()

    def _attend(self, rank: int, process: subprocess.Popen[bytes]) -> None:
        code = process.wait()
        self._ended.append((rank, code))
        if code:
            self._lost()


def leave_with_parent() -> None:
    """End this process as soon as the one that started it has ended, even in the middle of a step."""
    threading.Thread(target=_leave_at_end_of_input, daemon=True).start()


def _leave_at_end_of_input() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os._exit(1)


def child_environment() -> dict[str, str]:
    """The variables of this process without those that speak of its own place among others."""
    kept = {name: value for name, value in os.environ.items() if not _FOREIGN.match(name)}
    # A recipe's own code is found where this process finds it.
    return kept | {"PYTHONPATH": os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path)}


def _last_line(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else "it said nothing"
