"""Time what a person waits for before any work begins, and what a finished run costs when it is asked for again.

Every row is the median of whole processes, run in turn so that a busy moment of the machine hits all alike; ratios
are to importing hydra and pydantic, and for a finished run also to importing lightning.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PEER, HEAVY = "import hydra, pydantic", "import lightning.pytorch"
AGAIN, LONG_WAY = "finished run again", "the same without a memo"
LIMITS = {"--cfg job": 2.0, "typo report": 2.0, AGAIN: 1.0, LONG_WAY: 2.0}
CPU_SHARE = 1 / 8
SETTLED_S = 2.5  # files that are younger are not trusted yet


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=11)
    repeats = parser.parse_args().repeats
    with tempfile.TemporaryDirectory() as folder:
        # As on a machine where it ran before; else our modules would be compiled each time, and the others' not.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = f"{folder}/bytecode"
        measure(_commands(Path(folder)), repeats)


def _commands(folder: Path) -> dict[str, list[str]]:
    again = ["run.py", "+recipe=guinness_smoke", f"runtime.store={folder}/store", f"runtime.runs={folder}/runs"]
    for _ in range(3):  # done, told, remembered
        _run(again)
        time.sleep(SETTLED_S)
    return {
        PEER: ["-c", PEER],
        "--cfg job": ["run.py", "+recipe=guinness", "--cfg", "job"],
        "typo report": ["run.py", "+recipe=guinness", "training.epoch=3"],
        "--help": ["run.py", "--help"],
        AGAIN: again,
        LONG_WAY: again,
        HEAVY: ["-c", HEAVY],
    }


def measure(commands: dict[str, list[str]], repeats: int) -> None:
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for repeat in range(repeats + 1):
        for name, command in commands.items():
            # No memo was made where this variable had that value.
            cost = _run(command, {"ASKED": str(time.time_ns())} if name == LONG_WAY else {})
            if repeat:  # the first of each only warms the file cache
                costs[name].append(cost)
    medians = {name: tuple(map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}
    wall_peer, cpu_peer = medians[PEER]
    print(f"{'start-up, ' + str(repeats) + ' repeats':<26}{'wall s':>8}{'CPU s':>8}{'wall ratio':>12}{'CPU ratio':>11}")
    for name, (wall, cpu) in medians.items():
        target = f"  target at most {LIMITS[name]:g}" if name in LIMITS else ""
        print(f"{name:<26}{wall:>8.3f}{cpu:>8.3f}{wall / wall_peer:>12.2f}{cpu / cpu_peer:>11.2f}{target}")
    share = medians[LONG_WAY][1] / medians[HEAVY][1]
    print(f"{LONG_WAY}: {share:.3f} of the CPU time of {HEAVY!r}, target at most {CPU_SHARE:g}")


def _run(command: list[str], variables: dict[str, str] | None = None) -> tuple[float, float]:
    """Wall and CPU seconds of one process.

    Args: variables: of the environment, besides those of this process.
    """
    environment = {**os.environ, **(variables or {})}
    before, started = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=REPOSITORY, env=environment, capture_output=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return wall, spent


if __name__ == "__main__":
    main()
