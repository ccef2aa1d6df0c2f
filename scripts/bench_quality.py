"""Quality checks of the standard recipe over many pictures: seconds, pictures a second, and memory.

The pictures are drawn from scenes held in memory, so that decoding is not counted; one in fifty is a brighter copy.
"""

import argparse
import json
import resource
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from totalml.data import Snapshot, Splits
from totalml.quality import (
    Blur,
    ClassBalance,
    DoubtfulLabels,
    Duplicates,
    Exposure,
    LabelAgreement,
    MissingValues,
    NearDuplicates,
    Pictures,
    PictureSizes,
    SplitLeakage,
    SplitSizes,
    Timestamps,
)

TARGET_S, TARGET_PICTURES = 60.0, 100_000
SCENES = 4000
COPY_EVERY = 50
TABLE = (
    SplitLeakage(),
    SplitSizes(),
    ClassBalance(),
    Duplicates(),
    MissingValues(by=("pub", "age_group")),
    Timestamps(),
)
PICTURES = (NearDuplicates(), PictureSizes(), Exposure(), Blur(), LabelAgreement(), DoubtfulLabels())


class Drawn:
    """Scenes of coloured patches, each row another cut, light and noise of one."""

    def __init__(self, count: int, side: int) -> None:
        random = np.random.default_rng(0)
        self._count, self.shape = count, (side, side, 3)
        patches = random.integers(0, 256, (SCENES, 8, 8, 3), np.uint8)
        self._scenes = np.kron(patches, np.ones((1, -(-side // 8), -(-side // 8), 1), np.uint8))[:, :side, :side]

    def __len__(self) -> int:
        return self._count

    def gather(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        original = np.where(rows % COPY_EVERY == 1, rows - 1, rows)
        images = self._scenes[original % SCENES]
        shift = (original // SCENES * 5 % self.shape[0]).tolist()
        images = np.stack([np.roll(image, places, axis=1) for image, places in zip(images, shift, strict=True)])
        return np.where((rows % COPY_EVERY == 1)[:, None, None, None], images // 2 + 100, images // 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--size", type=int, default=128, help="px, of the square that the model sees")
    options = parser.parse_args()
    count = options.pictures
    snapshot, splits = table(count)
    pictures = Pictures(Drawn(count, options.size), lambda: np.full((count, 2), options.size))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.process_time()
    seconds = {"measure the pictures": timed(lambda: pictures.measures)}
    for check in TABLE:
        seconds[type(check).__name__] = timed(lambda check=check: list(check.findings(snapshot, splits)))
    for check in PICTURES:
        seconds[type(check).__name__] = timed(lambda check=check: list(check.findings(snapshot, splits, pictures)))
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    for name, taken in seconds.items():
        print(f"{name:<24}{taken:8.2f} s")
    total, cpu = sum(seconds.values()), time.process_time() - started
    of_target = total * TARGET_PICTURES / count
    print(f"{'all':<24}{total:8.2f} s, {cpu:.2f} CPU s; {count / total:,.0f} pictures/s; memory grew by {grown:.0f} MB")
    print(f"{TARGET_PICTURES:,} pictures in {of_target:.0f} s; target {TARGET_S:.0f} s on 2 cores")
    print(json.dumps(seconds | {"pictures": count, "size_px": options.size, "grown_mb": grown}))


def table(count: int) -> tuple[Snapshot, Splits]:
    random = np.random.default_rng(0)
    ids = [f"s{row:07d}" for row in range(count)]
    samples = {
        "id": pa.array(ids),
        "blob": pa.array(ids),
        "size_bytes": pa.array([100] * count, pa.int64()),
        "label": pa.array(random.choice(["bad", "good"], count)),
        "group": pa.array(ids),
        "timestamp": pa.array(np.arange(count).astype("M8[us]"), pa.timestamp("us", "UTC")),
        "mask": pa.nulls(count, pa.string()),
    }
    metadata = {
        "pub": pa.array(random.choice([f"pub {k}" for k in range(12)], count)),
        "age_group": pa.array(random.choice(["18-25", "26-40", "41-60", "61+"], count)),
        "uploader": pa.array(random.choice([f"u{k:04d}" for k in range(2000)], count)),
        "taste": pa.array(random.normal(size=count)),
    }
    skipped = pa.table({"id": pa.array([], pa.string()), "reason": pa.array([], pa.string())})
    place = random.random(count)
    splits = Splits(*(np.flatnonzero(part) for part in (place < 0.7, (place >= 0.7) & (place < 0.85), place >= 0.85)))
    return Snapshot("blake3:" + "0" * 64, pa.table(samples), pa.table(metadata), skipped), splits


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
