"""Long tables and many pictures: snapshot, features, predictions and a monitor's pass, by one worker and by two.

Each step is a process of its own; CPU time and memory are what it takes beyond its imports, workers included; of
`predict` and a monitor's pass, which are commands as people give them, their own imports count, and so do those of each
worker. Rows of 20 columns: a time, words, text, numbers. Peers read the same file, or put the same rows through the
same model.

Two workers are held against one: `of linear` is half of how much sooner they are done, by the clock, which a busy
machine spoils; `by CPU` is the CPU time of one by that of two and of the process that gives the work out, whose share
of it is told beside it: what it does alone bounds how many workers pay.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.parquet as pq

if TYPE_CHECKING:
    from totalml.recipe import DataRecipe
    from totalml.store import Store

REPOSITORY = Path(__file__).parents[1]
NUMBERS = [f"x{number}" for number in range(12)]
TOWNS = ["Cork", "Dublin", "Galway", "Limerick"]
OF_TABLE = (
    "task=regression",
    "task.targets=[price]",
    f"features.table.numeric=[{','.join(NUMBERS)}]",
    "features.table.categorical=[town]",
)
TRAINED_ON, CHUNK = 2000, 256
WORKERS = (("threads", 1), ("threads", 2), ("loky", 1), ("loky", 2))
TARGET = 0.8


@dataclass(frozen=True)
class Cost:
    """Args: main_s: CPU seconds of the process that gives the work out; cpu_s: of it and its workers."""

    wall_s: float
    cpu_s: float
    main_s: float
    peak_mb: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000], help="none: no table")
    parser.add_argument("--pictures", type=int, default=20_000, help="0: none")
    parser.add_argument("--side", type=int, nargs="*", default=[32, 128], help="of the pictures, px")
    options = parser.parse_args()
    if options.step:
        step, *words = options.step
        print(json.dumps(measured(STEPS[step], words)))
        return
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for rows in options.rows:
            bench_table(work, rows)
        for side in options.side if options.pictures else ():
            bench_pictures(work / f"{side}", options.pictures, side)
    print(f"load of the machine now {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores")


def bench_table(work: Path, rows: int) -> None:
    release(work, "table", draw_table(work, TRAINED_ON), "data.source.timestamp_column=when", *OF_TABLE)
    file, csv = draw_table(work, rows), work / "table.csv"
    pa.csv.write_csv(pq.read_table(file), csv)
    header(f"{rows:,} rows")
    read = show("pyarrow reads it", cost("read", file))
    show("snapshot", cost("snapshot", work, file), read)
    show("the same, unchanged", cost("snapshot", work, file), read)
    show("features", cost("features", work, file), read)
    show("a shared feature, made and kept", cost("shared", work, file), read)
    read = show("pyarrow reads the CSV", cost("read", csv))
    show("snapshot of the CSV", cost("snapshot", work, csv), read)
    plain = show("a loop over onnxruntime", cost("onnx", work, file))
    bench_workers("predict", lambda *how: cost("predict", work, "table", file, *how), plain)
    show("a monitor's pass over them", cost("monitor", work, "table"))


def bench_pictures(work: Path, count: int, side: int) -> None:
    draw_pictures(work / "few", 200, side)
    release(work, "image_folder", work / "few", f"features.image.size={side}", "training.augment=[]")
    draw_pictures(folder := work / "pictures", count, side)
    header(f"{count:,} pictures of {side} px")
    plain = show("Pillow decodes them", cost("decode", folder))
    show("snapshot", cost("snapshot", work, folder), plain)
    bench_workers("decoded features", lambda *how: cost("pixels", work, folder, side, *how), plain)
    bench_workers("predict", lambda *how: cost("predict", work, "image_folder", folder, *how), plain)
    show("a monitor's pass over them", cost("monitor", work, "image_folder"))


def bench_workers(what: str, run: Callable[..., Cost], peer: Cost) -> None:
    costs = {how: show(f"{what}, {how[1]} by {how[0]}", run(*how), peer) for how in WORKERS}
    one = costs["threads", 1]
    for backend in ("threads", "loky"):
        two = costs[backend, 2]
        told = f"{'':>4}two by {backend}: {one.wall_s / two.wall_s / 2:.2f} of linear by the clock"
        if backend == "loky":
            told += f", {one.cpu_s / two.cpu_s:.2f} by CPU, {two.main_s / two.cpu_s:.0%} of it where work is given out"
        print(f"{told}; target {TARGET}")


def header(what: str) -> None:
    print(f"\n{what:<34}{'wall s':>8}{'CPU s':>8}{'MB':>7}   of the peer's CPU, memory")


def show(what: str, found: Cost, peer: Cost | None = None) -> Cost:
    ratios = f"{found.cpu_s / peer.cpu_s:.1f}x, {found.peak_mb / max(peer.peak_mb, 1):.1f}x" if peer else ""
    print(f"{what:<34}{found.wall_s:>8.1f}{found.cpu_s:>8.1f}{found.peak_mb:>7.0f}   {ratios}", flush=True)
    return found


def cost(*words: object) -> Cost:
    """Of a step in a process of its own."""
    command = [sys.executable, __file__, "--step", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{words}\n{done.stdout}{done.stderr}")
    return Cost(**json.loads(done.stdout.splitlines()[-1]))


def measured(step: Callable[..., Callable[[], Any]], words: Sequence[str]) -> dict[str, float]:
    """Args: step: makes ready, and gives what is to be measured."""
    run = step(*words)
    began_mb, main_s, before_s, started = peak_mb(), time.process_time(), children_s(), time.perf_counter()
    run()
    wall_s, main_s = time.perf_counter() - started, time.process_time() - main_s
    end_workers()
    workers_s = children_s() - before_s
    return {"wall_s": wall_s, "cpu_s": main_s + workers_s, "main_s": main_s, "peak_mb": peak_mb() - began_mb}


def end_workers() -> None:
    """Only of processes that have ended is CPU time known."""
    from totalml.workers import processes

    processes.end()


def children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def peak_mb() -> float:
    """Not `ru_maxrss`, which begins with that of the process that started this one."""
    told = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(told["VmHWM"].split()[0]) / 1e3


def draw_table(work: Path, rows: int) -> Path:
    rng, file = np.random.default_rng(0), work / f"rows{rows}.parquet"
    numbers = {name: rng.normal(size=rows).round(4) for name in NUMBERS}
    columns = {
        "when": (10**9 + 60 * rng.permutation(rows)).astype("datetime64[s]"),  # each once, as series want it
        "pub": pa.array([f"pub-{number:04}" for number in range(1000)]).take(pa.array(rng.integers(0, 1000, rows))),
        "town": pa.array(TOWNS).take(pa.array(rng.integers(0, len(TOWNS), rows))),
        "note": [f"a note of {number}" for number in rng.integers(0, 10**6, rows)],
        **numbers,
        "count": rng.integers(0, 1000, rows),
        "age": rng.integers(0, 100, rows),
        "open": rng.random(rows) < 0.5,
        "price": (3 * numbers["x0"] + rng.normal(size=rows)).round(3),
    }
    pq.write_table(pa.table(columns), file)
    return file


def draw_pictures(folder: Path, count: int, side: int) -> None:
    """JPEGs of noise, each another."""
    from PIL import Image

    rng = np.random.default_rng(0)
    for number in range(count):
        file = folder / ("a", "b")[number % 2] / f"{number // 1000:03}" / f"{number:06}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(file)


def release(work: Path, recipe: str, what: Path, *more: str) -> None:
    """In production: a model trained for an epoch, since how good it is costs nothing."""
    where = [f"--store={work / 'store'}", f"--runs={work / 'runs'}"]
    source = f"data.source.{'table' if what.suffix else 'root'}={what}"
    words = [f"+recipe={recipe}", source, "training.epochs=1", "evaluation=quick", "runtime.progress=none", *more]
    call(["run.py", *words, *(f"runtime.{each.removeprefix('--')}" for each in where)])
    call(["-m", "totalml.cli", "promote", recipe, "--force", *where])


def call(words: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, *words], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 3):
        sys.exit(f"{' '.join(words)}\n{done.stdout}{done.stderr}")


def store_of(work: str) -> "Store":
    from totalml.store import Store

    return Store(Path(work) / "store")


def data_of(what: str) -> "DataRecipe":
    from totalml.data import ImageFolder
    from totalml.data.table import ImageTable
    from totalml.recipe import DataRecipe

    if Path(what).is_dir():
        return DataRecipe(source=ImageFolder(root=what))
    return DataRecipe(source=ImageTable(table=what, file_column=None, timestamp_column="when"))


# What is measured: each makes ready what does not count.


def do_read(file: str) -> Callable[[], Any]:
    return lambda: pq.ParquetFile(file).read() if file.endswith(".parquet") else pa.csv.read_csv(file)


def do_snapshot(work: str, what: str) -> Callable[[], Any]:
    from totalml.data import take_snapshot

    data, store = data_of(what), store_of(work)

    def run() -> None:
        taken = take_snapshot(data, store)
        (Path(work) / "taken").write_text(taken.data_hash)

    return run


def do_features(work: str, file: str) -> Callable[[], Any]:
    from totalml.data import load_snapshot
    from totalml.features import build_features
    from totalml.recipe import FeaturesRecipe, TableFeatures
    from totalml.task import Regression

    store = store_of(work)
    snapshot = load_snapshot((Path(work) / "taken").read_text(), store)
    wanted = FeaturesRecipe(image=None, table=TableFeatures(numeric=tuple(NUMBERS), categorical=("town",)))
    return lambda: build_features(wanted, data_of(file), Regression(targets=("price",)), snapshot, store)


def do_shared(work: str, file: str) -> Callable[[], Any]:
    from totalml.features import Window
    from totalml.features.shared.materialised import materialised

    feature = Window(owner="bench", source=data_of(file).source, entity=("pub",), column="x0", last="7d", of=("sum",))
    data_hash, store = (Path(work) / "taken").read_text(), store_of(work)
    return lambda: materialised(feature, data_hash, store)


def do_predict(work: str, name: str, what: str, backend: str, workers: str) -> Callable[[], Any]:
    from totalml.cli import main as totalml

    out = Path(work) / f"{name}.parquet"
    words = ["predict", f"{name}@production", what, f"--out={out}", "--overwrite", f"--store={store_of(work).root}"]
    return lambda: totalml([*words, f"--backend={backend}", f"--workers={workers}"])


def do_onnx(work: str, file: str) -> Callable[[], Any]:
    """The same rows through the same model, CHUNK at a time, and all answers in one Parquet file."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # as of a release
    import onnxruntime

    from totalml.release.bundle import MODEL
    from totalml.release.named import find_release

    bundle = find_release("table@production", store_of(work))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(bundle.read(MODEL), options)
    towns = pa.array(TOWNS)

    def run() -> None:
        answers = []
        for batch in pq.ParquetFile(file).iter_batches(CHUNK, columns=[*NUMBERS, "town"]):
            numeric = np.stack([np.asarray(batch[name]) for name in NUMBERS], axis=1).astype(np.float32)
            codes = np.asarray(pa.compute.index_in(batch["town"], towns)).astype(np.int64)[:, None] + 1
            answers.append(session.run(None, {"numeric": numeric, "categorical": codes})[0])
        pq.write_table(pa.table({"answer": np.concatenate(answers).ravel()}), Path(work) / "plain.parquet")

    return run


def do_monitor(work: str, name: str) -> Callable[[], Any]:
    from totalml.cli import main as totalml

    window = f"--window={Path(work) / name}.parquet"
    words = ["monitor", "check", f"--reference={name}@production", window, f"--store={store_of(work).root}", "--json"]
    return lambda: totalml(words)


def do_decode(folder: str) -> Callable[[], Any]:
    from PIL import Image

    return lambda: [np.asarray(Image.open(file).convert("RGB")) for file in Path(folder).rglob("*.jpg")]


def do_pixels(work: str, folder: str, side: str, backend: str, workers: str) -> Callable[[], Any]:
    from totalml.data import load_snapshot
    from totalml.features.images import build_images
    from totalml.progress import Progress
    from totalml.recipe import ImageFeatures
    from totalml.workers import Crew

    store = store_of(work)
    samples = load_snapshot((Path(work) / "taken").read_text(), store).samples
    wanted, crew = ImageFeatures(size=int(side)), Crew(backend, int(workers))
    shutil.rmtree(store.root / "features", ignore_errors=True)  # what an earlier worker decoded
    return lambda: build_images(wanted, samples, data_of(folder).max_megapixels, store, Progress.silent(), crew)


STEPS = {name.removeprefix("do_"): step for name, step in globals().items() if name.startswith("do_")}


if __name__ == "__main__":
    main()
