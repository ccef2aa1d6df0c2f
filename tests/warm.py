"""Python processes for tests that start with torch and lightning in memory, which is most of what such a process costs.

Each is a fork of one process that has imported them, nothing of ours, and computed nothing; so code may change between
two of them, and none sees what another did. What must show that little is imported needs a process of its own.
"""

import atexit
import json
import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

_WRITE = os.O_CREAT | os.O_WRONLY


def run_python(
    arguments: list[str], cwd: Path, env: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS`, which are a script or `-m` and a module, then words for it."""
    with TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        request = {"arguments": arguments, "cwd": str(cwd), "env": dict(env), "out": str(out), "err": str(err)}
        server = _server()
        print(json.dumps(request), file=server.stdin, flush=True)
        code = int(server.stdout.readline())
        return subprocess.CompletedProcess(arguments, code, out.read_text(), err.read_text())


@cache
def _server() -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__))]
    # Its path is that of Python alone: a request brings what comes before.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    server = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)  # closes its input, and so ends it
    return server


def _serve() -> None:
    import captum.attr  # noqa: F401
    import lightning.pytorch  # noqa: F401
    import torchvision.transforms.v2  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def _become(arguments: list[str], cwd: str, env: dict[str, str], out: str, err: str) -> None:
    """Never returns; ends as a process of its own does, with all that is to happen at its end."""
    for stream, (file, flags) in enumerate([(os.devnull, os.O_RDONLY), (out, _WRITE), (err, _WRITE)]):
        os.dup2(os.open(file, flags), stream)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0:1] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")
    sys.exit()


if __name__ == "__main__":
    _serve()
