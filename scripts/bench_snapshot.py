"""Time snapshots of a folder of photos, as a table with ratios.

Files are made in a temporary folder, which is removed at the end. Every row is the median of repeats that are
interleaved, so that a busy moment of the machine hits all alike. `--with-dvc` adds `dvc add` as the peer, from a
virtual environment of its own in that folder. Each timing is one whole process, as a user sees it; the first of
each kind is not counted.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SNAPSHOT = """
import sys, time
import totalml.data.ingest as ingest
from pathlib import Path
from totalml.data.folder import ImageFolder
from totalml.data.take import take_snapshot
from totalml.recipe import DataRecipe
from totalml.store import Store

if sys.argv[3] == "bytes":  # what is stored are random bytes: leave out the look at each picture
    ingest.inspect = lambda data, max_megapixels: (1, 1)
import blake3, numpy, pyarrow.parquet, rfc8785, PIL.Image
started, cpu = time.perf_counter(), time.process_time()
take_snapshot(DataRecipe(source=ImageFolder(root=sys.argv[1])), Store(Path(sys.argv[2])))
print(time.perf_counter() - started, time.process_time() - cpu)
"""

_HASH = """
import sys, time
from blake3 import blake3
started, cpu = time.perf_counter(), time.process_time()
blake3(max_threads=blake3.AUTO).update_mmap(sys.argv[1])
print(time.perf_counter() - started, time.process_time() - cpu)
"""


@dataclass(frozen=True)
class Cost:
    """Seconds of one process: wall and CPU, and the same of the step alone where the process tells them."""

    wall_s: float
    cpu_s: float
    step_wall_s: float = float("nan")
    step_cpu_s: float = float("nan")


def main() -> None:
    options = _options()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        bench = _Bench(Path(name), options)
        print(f"{options.files:,} files of {options.kilobytes} KB, {options.repeats} repeats, medians in seconds")
        _print(bench.small_files(), peer="dvc add")
        if options.large_gigabytes:
            print(f"\none new file of {options.large_gigabytes:g} GB; ratio to hashing it alone (memory-mapped)")
            _print(bench.large_file(), peer="hash alone")


class _Bench:
    def __init__(self, root: Path, options: argparse.Namespace) -> None:
        self.root, self.options = root, options
        self._dvc_folder = root / "dvc"

    def small_files(self) -> dict[str, Cost]:
        """Cost by name of the row."""
        noise, photos = self.root / "noise", self.root / "photos"
        _make_noise(noise, self.options.files, self.options.kilobytes * 1000)
        _make_photos(photos, self.options.files, self.options.kilobytes * 1000)
        rows: dict[str, Callable[[], Cost]] = {
            "new files, bytes only": lambda: self._snapshot(noise, "bytes", fresh=True),
            "unchanged, bytes only": lambda: self._snapshot(noise, "bytes", fresh=False),
            "new JPEGs, each looked at": lambda: self._snapshot(photos, "pictures", fresh=True),
            "unchanged JPEGs": lambda: self._snapshot(photos, "pictures", fresh=False),
        }
        if self.options.with_dvc:
            dvc = _install_dvc(self.root)
            rows["dvc add, new files"] = lambda: self._dvc(dvc, noise, fresh=True)
            rows["dvc add, unchanged"] = lambda: self._dvc(dvc, noise, fresh=False)
        _settle()
        return _medians(rows, self.options.repeats)

    def large_file(self) -> dict[str, Cost]:
        folder = self.root / "large"
        _make_large(folder / "a" / "1.bin", int(self.options.large_gigabytes * 1e9))
        # A label needs two samples.
        (folder / "a" / "2.bin").write_bytes(b"small")
        _settle()
        rows = {
            "new large file": lambda: self._snapshot(folder, "bytes", fresh=True),
            "unchanged large file": lambda: self._snapshot(folder, "bytes", fresh=False),
            "copy alone, with fsync": lambda: self._copy(folder / "a" / "1.bin"),
            "hash alone": lambda: _timed([sys.executable, "-c", _HASH, str(folder / "a" / "1.bin")], self.root),
        }
        return _medians(rows, self.options.repeats)

    def _snapshot(self, folder: Path, look: str, fresh: bool) -> Cost:
        store = self.root / f"store-{folder.name}"
        if fresh:
            shutil.rmtree(store, ignore_errors=True)
            os.sync()
        return _timed([sys.executable, "-c", _SNAPSHOT, str(folder), str(store), look], self.root)

    def _dvc(self, dvc: Path, folder: Path, fresh: bool) -> Cost:
        # A new folder each time: dvc remembers hashes by path, time and inode outside its repository too.
        if fresh:
            shutil.rmtree(self._dvc_folder, ignore_errors=True)
            self._dvc_folder = work = Path(tempfile.mkdtemp(dir=self.root, prefix="dvc-"))
            os.environ["DVC_SITE_CACHE_DIR"] = str(work / "site")
            shutil.copytree(folder, work / folder.name, copy_function=shutil.copyfile)
            _call([str(dvc), "init", "--no-scm", "--quiet"], work)
            _call([str(dvc), "config", "core.analytics", "false"], work)
            _settle()
        work = self._dvc_folder
        return _timed([str(dvc), "add", "--quiet", folder.name], work)

    def _copy(self, source: Path) -> Cost:
        target = self.root / "copy.bin"
        target.unlink(missing_ok=True)
        return _timed(["dd", f"if={source}", f"of={target}", "bs=16M", "conv=fsync", "status=none"], self.root)


def _medians(rows: dict[str, Callable[[], Cost]], repeats: int) -> dict[str, Cost]:
    seen: dict[str, list[Cost]] = {name: [] for name in rows}
    for repeat in range(repeats + 1):
        for name, run in rows.items():
            cost = run()
            if repeat:
                seen[name].append(cost)
    return {name: _median(costs) for name, costs in seen.items()}


def _median(costs: list[Cost]) -> Cost:
    fields = ("wall_s", "cpu_s", "step_wall_s", "step_cpu_s")
    return Cost(*(statistics.median(getattr(cost, field) for cost in costs) for field in fields))


def _timed(command: list[str], folder: Path) -> Cost:
    """Run a process and take its times, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    output = _call(command, folder)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    step = [float(word) for word in output.split()]
    return Cost(wall, cpu, *step) if len(step) == 2 else Cost(wall, cpu)


def _call(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


def _print(rows: dict[str, Cost], peer: str) -> None:
    print(f"{'':28}{'wall':>8}{'CPU':>8}{'step wall':>11}{'step CPU':>10}   {peer} / this (wall, CPU)")
    for name, cost in rows.items():
        numbers = f"{cost.wall_s:8.2f}{cost.cpu_s:8.2f}{cost.step_wall_s:11.2f}{cost.step_cpu_s:10.2f}"
        print(f"{name:28}{numbers}   {_ratio(name, cost, rows)}")
    print(json.dumps({name: vars(cost) for name, cost in rows.items()}))


def _ratio(name: str, cost: Cost, rows: dict[str, Cost]) -> str:
    """How many times as much the peer takes; for the large file how many times its hash this takes."""
    if "hash alone" in rows:
        own = cost.wall_s if cost.step_wall_s != cost.step_wall_s else cost.step_wall_s
        return f"{own / rows['hash alone'].step_wall_s:.2f}x of the hash"
    peer = rows.get("dvc add, unchanged" if "unchanged" in name else "dvc add, new files")
    if peer is None or name.startswith("dvc"):
        return ""
    return f"{peer.wall_s / cost.wall_s:.1f}x, {peer.cpu_s / cost.cpu_s:.1f}x"


def _make_noise(folder: Path, count: int, size: int) -> None:
    for number in range(count):
        _place(folder, number, "bin").write_bytes(os.urandom(size))


def _make_photos(folder: Path, count: int, size: int) -> None:
    """JPEGs of about `size` bytes: smooth noise of a fitting width."""
    import numpy as np
    from PIL import Image

    random = np.random.default_rng(0)
    side = round((size * 2.2) ** 0.5)
    for number in range(count):
        coarse = Image.fromarray(random.integers(0, 256, (side // 2, side // 2, 3), dtype=np.uint8))
        coarse.resize((side, side)).save(_place(folder, number, "jpg"), quality=85)


def _place(folder: Path, number: int, suffix: str) -> Path:
    path = folder / f"label{number % 10}" / f"{number:06}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _make_large(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True)
    block = os.urandom(2**24)
    with path.open("wb") as file:
        for start in range(0, size, len(block)):
            file.write(start.to_bytes(8, "little") + block[8 : min(len(block), size - start)])


def _install_dvc(root: Path) -> Path:
    home = root / "dvc-venv"
    venv.create(home, with_pip=True)
    _call([str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "dvc"], root)
    return home / "bin" / "dvc"


def _settle() -> None:
    """Let the disk come to rest, and files grow older than the clock's tick."""
    os.sync()
    time.sleep(3)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--kilobytes", type=int, default=20, help="size of each file")
    parser.add_argument("--large-gigabytes", type=float, default=2.0, help="size of the large file; 0: none")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--with-dvc", action="store_true", help="install dvc in a temporary environment and time it")
    parser.add_argument("--folder", type=Path, default=None, help="where to make the temporary folder")
    return parser.parse_args()


if __name__ == "__main__":
    main()
