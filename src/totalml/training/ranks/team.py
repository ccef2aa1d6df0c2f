"""How the processes of one training find each other, from rank 0's side and from that of the others."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import torch
from torch.distributed import TCPStore  # type: ignore[attr-defined]

from totalml.errors import Interrupted, TrainingError
from totalml.store.atomic import write_atomically
from totalml.training.execution import processes_of
from totalml.training.ranks.children import LAST_WORDS_S, Children
from totalml.training.ranks.environment import LOOPBACK, break_off, process_group
from totalml.training.ranks.launched import call_file, launch_of
from totalml.training.ranks.meeting import Meeting
from totalml.training.ranks.process_rank import ALONE, ProcessRank

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from lightning.pytorch import Callback

    from totalml.recipe import Recipe
    from totalml.training.watch import Watch

PATIENCE = timedelta(minutes=30)  # for the others to come: a feature set on a slow disk takes its time
LOOK_EVERY_S = 0.02


class Team(Protocol):
    @property
    def place(self) -> ProcessRank: ...

    @property
    def callbacks(self) -> Sequence[Callback]: ...

    def joined(self, mark: str, device: torch.device, watch: Watch) -> AbstractContextManager[None]:
        """Train inside.

        Args:
            mark: digest of all that the weights depend on, the state to go on from included; the same on all ranks.
        Raises:
            TrainingError: another rank has another mark, or ended before its time.
            Interrupted: Ctrl-C came while waiting for the others.
        """


def team_of(recipe: Recipe, folder: Path) -> Team:
    """Args: folder: of the attempt; the other ranks read there what to train."""
    launch = launch_of(recipe.runtime)
    if launch is not None:
        return Leader(folder, launch.place, launch.address, call_file(recipe, launch))
    count = processes_of(recipe.runtime)
    return Alone() if count == 1 else Leader(folder, ProcessRank(0, count, 0, count), LOOPBACK, None)


class Alone:
    place = ALONE
    callbacks = ()

    @contextmanager
    def joined(self, mark: str, device: torch.device, watch: Watch) -> Iterator[None]:
        yield


class Leader:
    """Rank 0.

    Args:
        address: where the other ranks reach this process.
        call: the file that ranks which a launcher started wait for; None: rank 0 starts them itself.
    """

    callbacks = ()

    def __init__(self, folder: Path, place: ProcessRank, address: str, call: Path | None) -> None:
        self.place = place
        self._folder, self._address, self._call = folder.absolute(), address, call

    @contextmanager
    def joined(self, mark: str, device: torch.device, watch: Watch) -> Iterator[None]:
        size = self.place.world_size
        # The port is chosen by the system and held from now on, so jobs at the same time cannot collide.
        store = TCPStore(self._address, 0, size, True, PATIENCE, wait_for_workers=False)
        meeting = Meeting(str(self._folder), self._address, store.port, size)
        with Children(break_off) as children, ExitStack() as stack:
            stack.callback(meeting.file.unlink, missing_ok=True)
            meeting.save()
            self._call_in(meeting, children)
            self._await(store, mark, children, watch)
            with _explaining(children, watch):
                stack.enter_context(process_group(store, self._address, self.place, device))
            with _explaining(children, watch):  # inside the group: leaving it makes the others fail, too
                yield

    def _call_in(self, meeting: Meeting, children: Children) -> None:
        if self._call is not None:
            write_atomically(self._call, json.dumps({"file": str(meeting.file)}).encode())
            return
        for rank in range(1, self.place.world_size):
            children.start(meeting.file, rank)

    def _await(self, store: Any, mark: str, children: Children, watch: Watch) -> None:
        """Until every other rank is there and is about to train the same."""
        due = time.monotonic() + PATIENCE.total_seconds()
        for rank in range(1, self.place.world_size):
            while not store.check([_arrival(rank)]):
                if watch.interrupted:
                    raise Interrupted("training was stopped before its first step. Give the same command again.")
                if loss := children.loss():
                    raise TrainingError(f"training cannot start: {loss}")
                if time.monotonic() > due:
                    raise TrainingError(f"rank {rank} did not come within {PATIENCE}; look at its output")
                time.sleep(LOOK_EVERY_S)
            theirs = store.get(_arrival(rank)).decode()
            if theirs != mark:
                raise TrainingError(
                    f"rank {rank} was about to train something else: {theirs} where rank 0 has {mark}. "
                    f"Do all processes see the same store, the same code and the same {self._folder}?"
                )
        store.set(_GO, b"")


class Member:
    """Another rank, which writes nothing.

    Args:
        meeting: what rank 0 wrote down.
    """

    def __init__(self, meeting: Meeting, place: ProcessRank, *callbacks: Callback) -> None:
        self.place = place
        self.callbacks = callbacks
        self._meeting = meeting

    @contextmanager
    def joined(self, mark: str, device: torch.device, watch: Watch) -> Iterator[None]:
        store = self._meeting.store(PATIENCE)
        store.set(_arrival(self.place.rank), mark)
        store.wait([_GO], PATIENCE)
        try:
            with process_group(store, self._meeting.address, self.place, device):
                yield
        except RuntimeError as error:
            if watch.interrupted:
                raise Interrupted("interrupted, as rank 0 was") from error
            raise


_GO = "go"


def _arrival(rank: int) -> str:
    return f"arrived/{rank}"


@contextmanager
def _explaining(children: Children, watch: Watch) -> Iterator[None]:
    """A lost rank shows as a broken connection, a RuntimeError; say which one it was."""
    try:
        yield
    except RuntimeError as error:
        if watch.interrupted:
            raise Interrupted("training was stopped. Give the same command again to go on.") from error
        if loss := children.loss(LAST_WORDS_S):
            raise TrainingError(f"training lost a process: {loss}. Give the same command again to go on.") from error
        raise
