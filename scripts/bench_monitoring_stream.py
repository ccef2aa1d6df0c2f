"""How often the stream test alarms where nothing changed, how soon where something did, and rows a second.

Beside river's detectors, one for the column that changes alone. Changes begin at any row, since ADWIN looks at every
32nd. About five minutes of a processor; `--quick` a half.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from unittest.mock import patch

import numpy as np
from bench_monitoring_river import by_peers, delay, row, share

from totalml.monitoring import Observations, StreamTest
from totalml.monitoring.conformal_bets import BINS, WAYS, bets

Rows = np.ndarray
RUN = 1e6  # rows between false alarms: at most 2 % of 20,000
REFERENCE, SMALL, LONG, BEFORE = 2000, 100, 20_000, 5000
EVEN = 0.5 * len(WAYS) * BINS  # so that half of all limits do not hold: no correction for a finite reference
CHANGES: dict[str, Callable[[Rows], Rows]] = {
    "higher by 1 deviation": lambda rows: rows + 1,
    "higher by 2 deviations": lambda rows: rows + 2,
    "higher by 3 deviations": lambda rows: rows + 3,
    "3 times as wide": lambda rows: rows * 3,
}
PEERS = ("ADWIN", "PageHinkley")


def print_tables(quick: bool) -> None:
    rng = np.random.default_rng(0)
    print(f"stream: reference of {REFERENCE:,} rows, each its own; {RUN:,.0f} rows between false alarms promised")
    for columns, streams in ((1, 500), (20, 100)):
        nulls = nulls_of(rng, 30 if quick else streams, columns)
        alarms = [first_alarm(*each) for each in nulls]
        row(f"false alarms in {LONG:,} rows, {columns} column(s)", share(alarms), "at most 2 %")
    for told, table_of in (("as it is", bets), ("as if it were everything", lambda count, _: bets(count, EVEN))):
        with patch("totalml.monitoring.stream.bets", table_of):
            nulls = nulls_of(rng, 20 if quick else 200, 1, SMALL)
            row(f"  reference of {SMALL} rows, {told}", share([first_alarm(*each) for each in nulls]), "at most 2 %")
    kept = rng.normal(size=(30 if quick else 500, LONG))
    for peer, found in by_peers(PEERS, kept):
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
        for peer, found in by_peers(PEERS, streams):
            row(f"  {peer}, 1 column", delay(found, begins), "")
    rows = 100_000
    numbers = table(rng.normal(size=(rows, 20)))
    pictures = Observations(rows // 5, embeddings=rng.normal(size=(rows // 5, 256)).astype(np.float32))
    for what, many, target in (("20 numbers", numbers, "100,000"), ("embeddings of 256", pictures, "")):
        test = StreamTest.fit(many.take(np.arange(5000)), RUN)
        row(f"rows a second, {what}", f"{many.count / best_seconds(lambda t=test, m=many: t.update(m)):,.0f}", target)


def nulls_of(
    rng: np.random.Generator, streams: int, columns: int, reference: int = REFERENCE
) -> Iterator[tuple[StreamTest, Rows]]:
    for _ in range(streams):
        yield StreamTest.fit(table(rng.normal(size=(reference, columns))), RUN), rng.normal(size=(LONG, columns))


def first_alarm(test: StreamTest, rows: Rows) -> int | None:
    return test.update(table(rows)).alarm_row


def alarm_of(test: StreamTest, rows: Rows) -> int | None:
    test.restart()
    return first_alarm(test, rows)


def table(rows: Rows) -> Observations:
    return Observations(len(rows), numbers={f"column {at}": column for at, column in enumerate(rows.T)})


def best_seconds(work: Callable[[], object]) -> float:
    """Of a processor, not of the clock: others may share it."""
    seconds = []
    for _ in range(5):
        started = time.process_time()
        work()
        seconds.append(time.process_time() - started)
    return min(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_tables(parser.parse_args().quick)


if __name__ == "__main__":
    main()
