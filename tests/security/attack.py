"""Give every hostile recipe to `totalml recipe check` and to the runner, under a hook that writes down what is done.

Run as a script in a process of its own, because an audit hook cannot be taken off again: `attack.py PART PARTS` in an
empty folder. Prints one line of JSON.
"""

import gc
import io
import json
import os
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from tests.projects import new_project
from tests.security.hostile import AIMED_AT_HYDRA, CALLBACK, HEAD, TABLE, Hostile
from totalml import cli
from totalml.compose import main
from totalml.compose.command_line import run_hydra
from totalml.sweep import sweep
from totalml.sweep.start import DEFAULT
from totalml.sweep.sweepers import register

DOES = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile", "pty.")
SPEAKS = ("socket.", "urllib.", "http.", "ftplib.", "smtplib.")
CHANGES = ("os.remove", "os.rename", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.truncate", "shutil.")
HEAVY = {"torch", "torchvision", "lightning", "pty", "webbrowser", "antigravity"}

Told = dict[str, object]

done: list[str] = []
watching = False


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if not watching:
        return
    writes = event == "open" and (
        bool({*"wax+"} & {*str(arguments[1] or "")}) or bool(int(str(arguments[2])) & (os.O_WRONLY | os.O_RDWR))
    )
    imports = event == "import" and str(arguments[0]).partition(".")[0] in HEAVY
    if writes or imports or event.startswith((*DOES, *SPEAKS, *CHANGES)):
        done.append(f"{event} {arguments[0]!r}")


@contextmanager
def watched() -> Iterator[list[str]]:
    global watching
    done.clear()
    watching = True
    try:
        yield done
    finally:
        watching = False


def told(command: Callable[[], object]) -> Told:
    """How a command ended, what it said on stderr, what the hook saw and whether the canary is there."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), watched() as seen:
        try:
            code = command()
        except BaseException as error:
            code = f"{type(error).__name__}: {error}"
    return {"code": code, "said": err.getvalue(), "seen": [*seen], "canary": Path("canary").exists()}


def attacked(project: Path, table: Sequence[Hostile]) -> dict[str, dict[str, Told]]:
    found = {}
    for hostile in table:
        files = {"recipes/evil.yaml": hostile.text, **hostile.files}
        for name, text in files.items():
            (project / name).write_text(text, encoding="utf-8")
        found[hostile.name] = {
            "check": told(lambda: cli.main(["recipe", "check", "evil"])),
            "run": told(lambda: main(project, start, ["+recipe=evil"], sweep=sweep)),
        }
        if hostile in AIMED_AT_HYDRA:
            several = ["-m", "+recipe=evil", "runtime.threads=1,2"]
            found[hostile.name]["several"] = told(lambda given=several: main(project, start, given, sweep=sweep))
        for name in files:
            (project / name).unlink()
    return found


def start(recipe: object) -> None:
    done.append("started a job")


def control(project: Path) -> dict[str, Told]:
    """What the hook sees of the attack itself, given by hand to Hydra; and of a recipe that is not hostile."""
    (project / "recipes" / "evil.yaml").write_text(HEAD)
    harmless = told(lambda: main(project, start, ["+recipe=evil"], sweep=sweep))
    register()
    arguments = ["-m", DEFAULT, "+recipe=evil", "++seed=1", f"+hydra.callbacks.evil={CALLBACK}"]
    attack = told(lambda: run_hydra(project, arguments, start))
    return {"harmless": harmless, "attack": attack, "each": told(_each)}


def _each() -> None:
    """What the table tries to do in one way or another."""
    Path("written").write_text("x")
    Path("made").mkdir()
    os.system("true")
    os.waitpid(os.posix_spawn("/bin/true", ["true"], {}), 0)
    with socket.socket() as here:
        here.connect_ex(("127.0.0.1", 9))


if __name__ == "__main__":
    gc.disable()
    here = Path.cwd()
    config = new_project(here, {}) / "conf" / "config.yaml"
    for group in ("quality: standard", "evaluation: standard", "runtime: auto", "tracking: none"):  # for speed
        config.write_text(config.read_text().replace(f"  - {group}\n", ""))
    (here / "photos").mkdir()
    os.environ["EVIL"] = "os.system"
    sys.addaudithook(hook)
    part, parts = map(int, sys.argv[1:])
    result = {"attacked": attacked(here, TABLE[part::parts]), "control": {} if part else control(here)}
    sys.__stdout__.write(json.dumps(result) + "\n")
