"""How often the stream and label tests alarm where nothing changed, how soon where something did, and rows a second.

    python scripts/bench_monitoring_streams.py [stream] [labels] [--quick] [--river PYTHON]

Delays count from the change to the alarm, medians; one of a run that never alarms is infinite. Beside river's detectors
at their defaults, one for the column that changes alone: `--river` names a Python that has it. Changes begin at any
row, since ADWIN looks at every 32nd. About six minutes of a processor; with `--quick` a half.
"""

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from totalml.evaluation.shares import wilson
from totalml.monitoring import LabelTest, Observations, StreamTest

Rows = np.ndarray
RUN = 1e6  # rows between false alarms: at most 2 % of 20,000
LABELS_RUN = 5e5  # at most 2 % of 10,000
REFERENCE, LONG, BEFORE = 2000, 20_000, 5000
CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "higher by 1 deviation": lambda rows: rows + 1,
    "higher by 2 deviations": lambda rows: rows + 2,
    "higher by 3 deviations": lambda rows: rows + 3,
    "3 times as wide": lambda rows: rows * 3,
}
PEER = """
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
PEERS, PEERS_OF_LABELS = ("ADWIN", "PageHinkley"), ("ADWIN", "PageHinkley", "DDM")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="stream, labels; both if none is named")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--river", metavar="PYTHON", help="of an environment that has river")
    options = parser.parse_args()
    sections = {"stream": bench_stream, "labels": bench_labels}
    if unknown := {*options.sections} - sections.keys():
        parser.error(f"no section is called {', '.join(sorted(unknown))}; there are {', '.join(sections)}")
    if options.river is None:
        print("river's rows are missing; --river names the Python that has it")
    for name in options.sections or sections:
        sections[name](options.river, options.quick)


def bench_stream(river: str | None, quick: bool) -> None:
    rng = np.random.default_rng(0)
    print(f"stream: reference of {REFERENCE:,} rows, each its own; {RUN:,.0f} rows between false alarms promised")
    for columns, streams in ((1, 500), (20, 500)):
        nulls = nulls_of(rng, 30 if quick else streams, columns)
        alarms = [first_alarm(*each) for each in nulls]
        row(f"false alarms in {LONG:,} rows, {columns} column(s)", share(alarms), "at most 2 %")
    kept = rng.normal(size=(30 if quick else 500, LONG))
    for peer, found in by_peers(river, PEERS, kept):
        row(f"  {peer}, 1 column", share(found), "")
    for what, change in CHANGES.items():
        streams = rng.normal(size=(20 if quick else 100, BEFORE + 2000))
        begins = BEFORE + rng.integers(0, 32, len(streams))
        streams = np.where(np.arange(streams.shape[1]) < begins[:, None], streams, change(streams))
        for columns in (1, 20):
            others = rng.normal(size=(REFERENCE, columns)), rng.normal(size=(streams.shape[1], columns - 1))
            test = StreamTest.fit(table(others[0]), RUN)
            found = [alarm_of(test, np.column_stack([stream, others[1]])) for stream in streams]
            row(f"{what}, {columns} column(s)", delay(found, begins), "half of ADWIN's")
        for peer, found in by_peers(river, PEERS, streams):
            row(f"  {peer}, 1 column", delay(found, begins), "")
    rows = 100_000
    numbers = table(rng.normal(size=(rows, 20)))
    pictures = Observations(rows // 5, embeddings=rng.normal(size=(rows // 5, 256)).astype(np.float32))
    for what, many, target in (("20 numbers", numbers, "100,000"), ("embeddings of 256", pictures, "")):
        test = StreamTest.fit(many.take(np.arange(5000)), RUN)
        row(f"rows a second, {what}", f"{many.count / best_seconds(lambda t=test, m=many: t.update(m)):,.0f}", target)


def bench_labels(river: str | None, quick: bool) -> None:
    rng = np.random.default_rng(1)
    count, before, long = 40 if quick else 500, 500, 10_000
    print(f"labels: errors 5 %, then 12 %; {LABELS_RUN:,.0f} labels between false alarms promised")
    nulls = rng.random((count, long)) < 0.05
    begins = before + rng.integers(0, 32, count)
    worse = rng.random((count, before + 4000)) < np.where(np.arange(before + 4000) < begins[:, None], 0.05, 0.12)
    for validation in (500, 2000, 10_000):
        tests = [LabelTest.fit(rng.random(validation) < 0.05, LABELS_RUN) for _ in range(count)]
        found = [test.update(stream).alarm_row for test, stream in zip(tests, nulls, strict=True)]
        row(f"false alarms in {long:,}, {validation:,} validated", share(found), "at most 2 %")
        found = []
        for test, stream in zip(tests, worse, strict=True):
            test.restart()
            found.append(test.update(stream).alarm_row)
        row(f"delay, {validation:,} validated", delay(found, begins), "under 420")
    for (peer, found), (_, later) in zip(
        by_peers(river, PEERS_OF_LABELS, nulls * 1.0), by_peers(river, PEERS_OF_LABELS, worse * 1.0), strict=True
    ):
        row(f"  {peer}, false alarms in {long:,}", share(found), "")
        row(f"  {peer}, delay", delay(later, begins), "")


def nulls_of(rng: np.random.Generator, streams: int, columns: int) -> Iterator[tuple[StreamTest, Rows]]:
    for _ in range(streams):
        yield StreamTest.fit(table(rng.normal(size=(REFERENCE, columns))), RUN), rng.normal(size=(LONG, columns))


def first_alarm(test: StreamTest, rows: Rows) -> int | None:
    return test.update(table(rows)).alarm_row


def alarm_of(test: StreamTest, rows: Rows) -> int | None:
    test.restart()
    return first_alarm(test, rows)


def table(rows: Rows) -> Observations:
    return Observations(len(rows), numbers={f"column {at}": column for at, column in enumerate(rows.T)})


def by_peers(river: str | None, peers: Sequence[str], streams: Rows) -> Iterator[tuple[str, list[int | None]]]:
    if river is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "streams.npy"
        np.save(path, streams)
        for name in peers:
            command = [river, "-c", PEER, str(path), name]
            yield (
                f"river {name}",
                json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout),
            )


def best_seconds(work: Callable[[], object]) -> float:
    """Of a processor, not of the clock: others may share it."""
    seconds = []
    for _ in range(5):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


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


if __name__ == "__main__":
    main()
