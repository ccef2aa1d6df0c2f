"""How often the label test alarms while the model errs as before, and how many labels after it errs more it does.

Beside river's detectors, which know no validation. About a minute of a processor.
"""

import argparse

import numpy as np
from bench_monitoring_river import by_peers, delay, row, share

from totalml.monitoring import LabelTest

RUN = 5e5  # labels between false alarms: at most 2 % of 10,000
PEERS = ("ADWIN", "PageHinkley", "DDM")


def print_tables(quick: bool) -> None:
    rng = np.random.default_rng(1)
    count, before, long = 40 if quick else 500, 2000, 10_000
    print(f"labels: errors 5 %, then 12 %; {RUN:,.0f} labels between false alarms promised")
    nulls = rng.random((count, long)) < 0.05
    begins = before + rng.integers(0, 32, count)
    worse = rng.random((count, before + 4000)) < np.where(np.arange(before + 4000) < begins[:, None], 0.05, 0.12)
    for validation in (500, 2000, 10_000):
        tests = [LabelTest.fit(rng.random(validation) < 0.05, RUN) for _ in range(count)]
        found = [test.update(stream).alarm_row for test, stream in zip(tests, nulls, strict=True)]
        row(f"false alarms in {long:,}, {validation:,} validated", share(found), "at most 2 %")
        found = []
        for test, stream in zip(tests, worse, strict=True):
            test.restart()
            found.append(test.update(stream).alarm_row)
        row(f"delay, {validation:,} validated", delay(found, begins), "under 420")
    for (peer, found), (_, later) in zip(by_peers(PEERS, nulls * 1.0), by_peers(PEERS, worse * 1.0), strict=True):
        row(f"  {peer}, false alarms in {long:,}", share(found), "")
        row(f"  {peer}, delay", delay(later, begins), "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    print_tables(parser.parse_args().quick)


if __name__ == "__main__":
    main()
