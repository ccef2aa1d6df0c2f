"""Look a memo up by everything that a process is started with, and tell it if all that it rests on is as it was."""

import json
import os
import sys
import time
from hashlib import blake2b
from typing import Any

from totalml.machine import gpu_information
from totalml.memo.state import file_state, tree_state

VERSION = 1
FOLDER = (".totalml", "memos")  # of the project: where the store lies, only the recipe says
CHECKSUM_BYTES = 16
Said = list[tuple[str, str]]  # name of a stream, and a text written to it


class Memo:
    """What one command line was answered, in this process's surroundings.

    Args:
        project: folder that holds conf/, recipes/ and run.py.
        arguments: of `run.py`.
    """

    def __init__(self, project: str, arguments: list[str]) -> None:
        self.project, self.arguments = project, arguments
        self.started_ns = time.time_ns()
        self.packages = list(sys.path)  # folders whose state changes with what is installed
        key = json.dumps([VERSION, project, arguments, self.packages, *_surroundings()]).encode()
        self.file = os.path.join(project, *FOLDER, f"{blake2b(key, digest_size=16).hexdigest()}.json")  # noqa: PTH118

    def tell(self) -> int | None:
        """Print what was printed then, and return its exit code; None: there is no memo, or something has changed."""
        try:
            with open(self.file, "rb") as file:  # noqa: PTH123
                values = decode(file.read())
            if values is None or not _holds(values):
                return None
            streams = {"stdout": sys.stdout, "stderr": sys.stderr}
            said = [(streams[name], str(text)) for name, text in values["said"]]
            code = int(values["code"])
        except (OSError, ValueError, KeyError, TypeError):  # only a memo: the long way answers too
            return None
        for stream, text in said:
            stream.write(text)
        return code


def encode(values: dict[str, Any]) -> bytes:
    body = json.dumps(values).encode()
    return blake2b(body, digest_size=CHECKSUM_BYTES).hexdigest().encode() + b"\n" + body


def decode(data: bytes) -> dict[str, Any] | None:
    """None if the bytes are damaged."""
    checksum, _, body = data.partition(b"\n")
    if blake2b(body, digest_size=CHECKSUM_BYTES).hexdigest().encode() != checksum:
        return None
    return dict(json.loads(body))


def _holds(values: dict[str, Any]) -> bool:
    return all(file_state(path) == state for path, state in values["files"].items()) and all(
        tree_state(root, without)[0] == state for root, without, state in values["trees"]
    )


def _surroundings() -> list[Any]:
    """All that is no file and yet may move the answer; every variable counts, for a recipe may read any."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    streams = [each and [each.isatty(), each.encoding, each.errors] for each in (sys.stdout, sys.stderr)]
    interpreter = [sys.executable, sys.version, list(sys.flags), sys.warnoptions, sorted(sys._xoptions)]
    process = [os.getcwd(), os.geteuid(), list(os.uname()), cores]  # noqa: PTH109
    return [sorted(os.environ.items()), process, interpreter, streams, _terminals(), gpu_information()]


def _terminals() -> list[list[int] | None]:
    """Columns and lines of what the three standard streams stand for; None for what is no terminal."""
    sizes: list[list[int] | None] = []
    for descriptor in range(3):
        try:
            sizes.append(list(os.get_terminal_size(descriptor)))
        except OSError:
            sizes.append(None)
    return sizes
