"""Python for tests with all that a run imports in memory, which is most of what a process of its own costs.

`[*python(), "run.py"]` is a command as `[sys.executable, "run.py"]` is one. It asks a process that has imported them,
and exported a network of no layer, for a fork; so none sees what another did. A command that finds another totalml,
such as a copy with a planted fault, imports that. The fork has the command's streams, folder and environment, gets its
signals and ends with it. What must show that little is imported needs a process of its own.
"""

import atexit
import gc
import json
import os
import pkgutil
import runpy
import select
import shutil
import signal
import socket
import subprocess
import sys
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp
from types import ModuleType
from typing import NoReturn

OBJECTS = 100_000  # that are made before garbage is looked for
ADDRESS = "TOTALML_TESTS_WARM"  # a variable of the environment
SOURCE = Path(__file__).parents[1] / "src"
COMMAND = Path(__file__).with_name("warm_command.py")


def run_python(
    arguments: list[str], cwd: Path, env: Mapping[str, str] = os.environ
) -> subprocess.CompletedProcess[str]:
    """`python ARGUMENTS`, until it ends."""
    command = [*python(), *arguments]
    return subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, check=False)


def python(*first: str) -> list[str]:
    """The words before a script, `-m` and a module, or `-c` and code.

    Args: first: modules that this and later commands find imported.
    """
    return [sys.executable, "-S", "-E", str(COMMAND), _address(), *(f"+{module}" for module in first)]


@cache
def _address() -> str:
    return os.environ.get(ADDRESS) or serve()


def collect_seldom() -> None:
    """Python looks for garbage after each 700 objects, which takes 6 % of all CPU where modules hold millions."""
    gc.set_threshold(OBJECTS, 20, 20)


def export_often() -> None:
    """Let torch parse the functions of ONNX once in this process, not for each export, of which that is a third."""
    from torch.onnx._internal.exporter._registration import ONNXRegistry

    ONNXRegistry.from_torchlib = staticmethod(cache(ONNXRegistry.from_torchlib))


def serve() -> str:
    """Start a process that forks until this one ends, for others too that find its address in `ADDRESS`."""
    folder = mkdtemp(prefix="warm-")
    address = f"{folder}/socket"
    # Its path is that of Python alone: a command brings what comes before.
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    env["GLIBC_TUNABLES"] = "glibc.malloc.hugetlb=1"  # a fork of fewer and larger pages takes 0.02 s of CPU, not 0.04
    env["JE_ARROW_MALLOC_CONF"] = "background_thread:false"  # pyarrow; a fork has not the threads of its parent
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        number = door.fileno()
        server = subprocess.Popen(
            [sys.executable, __file__, str(number)],
            env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pass_fds=[number], start_new_session=True,
        )  # fmt: skip
    atexit.register(shutil.rmtree, folder)
    atexit.register(server.communicate)  # closes its input, and so ends it
    return address


def _serve(door: socket.socket) -> None:
    # Not onnxruntime: it starts a thread, which a fork has not and waits for at its end.
    import captum.attr  # noqa: F401
    import hydra  # noqa: F401
    import lightning.pytorch  # noqa: F401
    import networkx  # noqa: F401
    import onnxscript  # noqa: F401
    import pandas  # noqa: F401
    import PIL.Image
    import pyarrow.compute
    import pyarrow.parquet  # noqa: F401
    import safetensors.torch  # noqa: F401
    import torch
    import torchvision.transforms.v2  # noqa: F401
    import tqdm

    collect_seldom()
    tqdm.tqdm.monitor_interval = 0  # by a thread
    export_often()
    # The first export takes twice as long as the next.
    torch.onnx.export(torch.nn.Identity().eval(), (torch.zeros(1),), dynamo=True, verbose=False)
    PIL.Image.init()
    ours = _import_ours()
    gc.freeze()  # no fork looks through what all of them share
    ended, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake)
    lines: dict[int, socket.socket] = {}  # to the commands, by their forks
    while sys.stdin not in (ready := select.select([door, sys.stdin, ended, *lines.values()], [], [])[0]):
        for child in [child for child, line in lines.items() if line in ready]:  # its command is gone
            os.kill(child, signal.SIGKILL)
            lines.pop(child).close()
        if door in ready:
            _start(door, lines, ours)
        if ended in ready:
            os.read(ended, 1024)
            _tell_ends(lines)


def _import_ours() -> dict[str, str]:
    """All of totalml but for the room that imports wandb, which few need; the variables that this sets."""
    sys.path[0] = str(SOURCE)
    before = {*os.environ}
    for module in pkgutil.walk_packages([str(SOURCE)]):
        with suppress(ImportError):  # of an extra that is not installed
            if "totalml.tracking" not in module.name:
                import_module(module.name)
    return {name: value for name, value in os.environ.items() if name not in before}


def _start(door: socket.socket, lines: dict[int, socket.socket], ours: Mapping[str, str]) -> None:
    line, _ = door.accept()
    _, streams, _, _ = socket.recv_fds(line, 1, 3)
    with line.makefile() as words:
        asked = words.readline()
    request = json.loads(asked or "{}")  # nothing if the command was killed before it asked
    for module in request.pop("first", ()):
        import_module(module.removeprefix("+"))
    child = os.fork() if request else None
    if child == 0:
        for each in (door, line, *lines.values()):
            each.detach()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _become(streams, ours, **request)
    for stream in streams:
        os.close(stream)
    if child:
        lines[child] = line
        _tell(line, child)


def _tell(line: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # the command is gone
        line.sendall(f"{number}\n".encode())


def _tell_ends(lines: dict[int, socket.socket]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if line := lines.pop(ended[0], None):
                with line:
                    _tell(line, os.waitstatus_to_exitcode(ended[1]))


def _become(
    streams: list[int], ours: Mapping[str, str], arguments: list[str], cwd: str, env: dict[str, str]
) -> NoReturn:
    """Ends as a process of its own does, with all that is to happen at its end.

    But for taking apart what is shared: each page of torch that this touches is copied first, for 0.5 s of CPU. So
    what the modules there would finalize lives on, too, which saves 0.04 s.
    """
    for each in [*weakref.finalize._registry]:
        each.atexit = False
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, 1024)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0:1] = [cwd, *filter(None, env.get("PYTHONPATH", "").split(os.pathsep))]
    if _is_found_elsewhere():
        for name in [name for name in sys.modules if name.partition(".")[0] == "totalml"]:
            del sys.modules[name]
    else:
        os.environ.update(ours)
    try:
        _run(*arguments)
        code = 0
    except SystemExit as end:
        if isinstance(end.code, str):
            raise
        code = int(end.code or 0)
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(ValueError, BrokenPipeError):  # closed, or nobody reads it any more
            stream.flush()
    os._exit(code)


def _is_found_elsewhere() -> bool:
    known = sys.modules.pop("totalml")
    found = find_spec("totalml")
    sys.modules["totalml"] = known
    return found is None or found.origin != known.__file__


def _run(first: str, *more: str) -> None:
    sys.argv = [first, *more[1:]] if first == "-c" else [*more] if first == "-m" else [first, *more]
    if first == "-c":
        main = sys.modules["__main__"] = ModuleType("__main__")
        exec(more[0], vars(main))
    elif first == "-m":
        runpy.run_module(more[0], run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(first, run_name="__main__")


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
