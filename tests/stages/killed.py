"""Kill a run at every point where it makes something durable, and let the same call go on.

`python -m tests.stages.killed <folder> <first> <step>` prints a JSON line for each kill: where it struck, and what the
next call came to. Each run is a fork of one process that has imported everything, as soon as the undisturbed run has
told what, and computed nothing; the recipe is composed before the fork.
"""

import json
import os
import shutil
import signal
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from totalml import runner
from totalml.store import atomic, writer

IMPORTED = "imported.txt"


def main() -> None:
    from tests.stages.conftest import Project
    from totalml import lifecycle  # noqa: F401 - imported once, before the first fork

    folder, first, step = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    undisturbed = Project(folder / "undisturbed")
    facts, _ = go(undisturbed, None)
    for name in (undisturbed.runs / IMPORTED).read_text().splitlines():
        with suppress(Exception):  # some are no modules to import
            import_module(name)
    print(json.dumps({"point": None, "outputs": facts["outputs"]}), flush=True)
    point = first
    while True:
        project = Project(folder / str(point))
        _, killed = go(project, point)
        if not killed:  # more points than the run has
            return
        stage = where(project)
        facts, _ = go(project, None)
        attempts = len(list(project.runs.glob("*/*/*/run.json")))
        told = {"point": point, "stage": stage, "outputs": facts["outputs"], "attempts": attempts}
        print(json.dumps(told | {"leftovers": leftovers(project)}), flush=True)
        shutil.rmtree(folder / str(point))
        point += step


def go(project, kill_at: int | None) -> tuple[dict, bool]:
    """Run in a fork that kills itself at its `kill_at`-th sync; the facts it left, and whether it was killed."""
    recipe = project.recipe("runtime.threads=1", "runtime.progress=none")
    child = os.fork()
    if child == 0:
        work(project, recipe, kill_at)
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed or os.WEXITSTATUS(status) == 0, status
    files = sorted(project.runs.glob("*/*/*/run.json"))
    return (json.loads(files[-1].read_text()) if files else {}), killed


def work(project, recipe, kill_at: int | None) -> None:
    """Never returns."""
    calls = 0

    def counted(_: int) -> None:
        nonlocal calls
        if calls == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1  # and no sync: what a process wrote outlives it, not the machine

    atomic.sync = writer.sync = counted
    code = 1
    try:
        runner.run(recipe)
        (project.runs / IMPORTED).write_text("\n".join(sys.modules))
        code = 0
    finally:
        os._exit(code)


def where(project) -> str:
    """The stage under way when the run was killed: the first without seconds in `run.json`."""
    for file in project.runs.glob("*/*/*/run.json"):
        facts = json.loads(file.read_text())
        done = facts.get("stages", {})
        return next((name for name in ("features", "quality", "training", "evaluation") if name not in done), "report")
    return "snapshot"


def leftovers(project) -> list[str]:
    """Unfinished things that nobody will ever clear: none may stand among finished ones."""
    return [str(path) for path in (project.store / "stages").rglob(f"{atomic.TEMPORARY}*")]


if __name__ == "__main__":
    main()
