"""Time what a person waits for before any work begins, as ratios to importing hydra and pydantic.

Every row is the median of whole processes, run in turn so that a busy moment of the machine hits all alike.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PEER = "import hydra, pydantic"
COMMANDS = {
    PEER: ["-c", PEER],
    "--cfg job": ["run.py", "+recipe=guinness", "--cfg", "job"],
    "typo report": ["run.py", "+recipe=guinness", "training.epoch=3"],
    "--help": ["run.py", "--help"],
}
LIMIT = 2.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=11)
    repeats = parser.parse_args().repeats
    costs: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    for repeat in range(repeats + 1):
        for name, command in COMMANDS.items():
            cost = _run(command)
            if repeat:  # the first of each only warms the file cache
                costs[name].append(cost)
    medians = {name: tuple(map(statistics.median, zip(*found, strict=True))) for name, found in costs.items()}
    wall_peer, cpu_peer = medians[PEER]
    print(f"{'start-up, ' + str(repeats) + ' repeats':<26}{'wall s':>8}{'CPU s':>8}{'wall ratio':>12}{'CPU ratio':>11}")
    for name, (wall, cpu) in medians.items():
        target = f"  target at most {LIMIT:g}" if name in ("--cfg job", "typo report") else ""
        print(f"{name:<26}{wall:>8.3f}{cpu:>8.3f}{wall / wall_peer:>12.2f}{cpu / cpu_peer:>11.2f}{target}")


def _run(command: list[str]) -> tuple[float, float]:
    """Wall and CPU seconds of one process."""
    before, started = os.times(), time.perf_counter()
    subprocess.run([sys.executable, *command], cwd=REPOSITORY, capture_output=True, check=False)
    wall, after = time.perf_counter() - started, os.times()
    spent = after.children_user - before.children_user + after.children_system - before.children_system
    return wall, spent


if __name__ == "__main__":
    main()
