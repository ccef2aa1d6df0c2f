"""Detectors of river at their defaults, and what all detectors of streams are measured by: alarms and delays.

river stands in an environment of its own, which TOTALML_RIVER names by its Python.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from totalml.evaluation.shares import wilson

Rows = np.ndarray
RIVER = os.environ.get("TOTALML_RIVER", sys.executable)
FIRST_ALARMS = """
import json, sys
import numpy as np
from river import drift
streams = np.load(sys.argv[1])
found = []
for stream in streams:
    detector = getattr(drift, sys.argv[2], None) or getattr(drift.binary, sys.argv[2])
    detector, first = detector(), None
    for row, value in enumerate(stream.tolist()):
        detector.update(value)
        if detector.drift_detected:
            first = row
            break
    found.append(first)
print(json.dumps(found))
"""


def by_peers(peers: Sequence[str], streams: Rows) -> Iterator[tuple[str, list[int | None]]]:
    if subprocess.run([RIVER, "-c", "import river"], capture_output=True, check=False).returncode:
        print("river is not installed, so its rows are missing; TOTALML_RIVER names a Python that has it")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "streams.npy"
        np.save(path, streams)
        for name in peers:
            command = [RIVER, "-c", FIRST_ALARMS, str(path), name]
            yield (
                f"river {name}",
                json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout),
            )


def share(found: Sequence[int | None]) -> str:
    alarms = sum(each is not None for each in found)
    low, high = wilson(np.array(alarms), np.array(len(found)), 1.96)
    return f"{alarms / len(found):.1%} ({max(low, 0.0):.1%} to {high:.1%})"


def delay(found: Sequence[int | None], begins: Rows) -> str:
    """Of runs that were silent before."""
    delays = [np.inf if row is None else row - begin for row, begin in zip(found, begins.tolist(), strict=True)]
    silent = [each for each in delays if each >= 0]
    told = f"{np.median(silent):,.0f}" if silent else "none"
    return told + (
        f" ({len(delays) - len(silent)} of {len(delays)} alarmed before)" if len(silent) < len(delays) else ""
    )


def row(what: str, figure: str, target: str) -> None:
    print(f"{what:<52}{figure:>34}  {target}", flush=True)
