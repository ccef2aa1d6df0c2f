"""A command that `tests.warm` forks: ADDRESS [+MODULE ...] WORDS. It imports little, as all of it is imported anew."""

import json
import os
import signal
import socket
import sys
from itertools import takewhile
from typing import NoReturn


def command(address: str, arguments: list[str]) -> NoReturn:
    """Ends as the fork ends."""
    forwarded = (signal.SIGINT, signal.SIGTERM)
    signal.pthread_sigmask(signal.SIG_BLOCK, forwarded)
    first = [*takewhile(lambda word: word.startswith("+"), arguments)]
    cwd = os.getcwd()  # noqa: PTH109 - pathlib takes as long to import as all else here
    request = {"first": first, "arguments": arguments[len(first) :], "cwd": cwd, "env": dict(os.environ)}
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(address)
        socket.send_fds(line, [b"\n"], [0, 1, 2])
        words = line.makefile("rw")
        print(json.dumps(request), file=words, flush=True)
        child = int(words.readline())
        for number in forwarded:
            signal.signal(number, lambda number, _: os.kill(child, number))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, forwarded)
        code = int(words.readline())
    if code < 0:
        if -code != signal.SIGKILL:
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


if __name__ == "__main__":
    command(sys.argv[1], sys.argv[2:])
