"""Answer for many samples with a release: a folder of pictures, a glob in quotes, or a table, also behind a URL.

  totalml predict guinness@production photos/ --out preds.parquet
  totalml predict guinness@production "photos/2026-*/*.jpg" --out preds.parquet --backend loky --workers 8
  totalml predict guinness@production s3://bucket/pints.csv --out preds.parquet

The output has the columns of the service's prediction log. Whatever cannot be used has a row too, with the reason in
the column `error`, and the command ends with 4 unless --skip-bad is given. Killed, it goes on when given again; the
bytes are the same however often that was and whichever backend made them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from totalml import __version__
from totalml.errors import DataError, FeatureError, RecipeError
from totalml.features.decoding import THREADS
from totalml.features.workers import Backend, by_processes, by_threads
from totalml.identity import digest, short
from totalml.prediction.chunk import CHUNK, Numbered
from totalml.prediction.inputs import as_listed, listing, open_inputs
from totalml.prediction.parts import Finished, Parts, parts_folder, refuse_output
from totalml.prediction.score import Score, scorer_in
from totalml.progress import Progress
from totalml.release.named import find_release
from totalml.url import is_url

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH")
    parser.add_argument("what", metavar="WHAT", help="a folder, a glob in quotes, or a .csv, .tsv or .parquet")
    parser.add_argument("--out", metavar="FILE", required=True, help="a .parquet of this machine")
    parser.add_argument("--overwrite", action="store_true", help="replace the output that is there")
    parser.add_argument("--skip-bad", action="store_true", help="end with 0 although samples could not be used")
    parser.add_argument("--backend", choices=get_args(Backend), default="threads", help="what works (threads)")
    parser.add_argument("--workers", type=int, help=f"how many; {THREADS} threads, or all cores, unless given")


def run(arguments: argparse.Namespace, place: Place) -> int:
    out = _output(arguments.out)
    if arguments.workers is not None and arguments.workers < 1:
        raise RecipeError("command line: --workers is a number from 1")
    store, progress = place.open_store(), Progress.create()
    bundle = find_release(arguments.release, store)
    crew = Crew(arguments.backend, arguments.workers)
    with store.lock(f"predict-{short(digest('output v1', str(out.absolute()).encode()), 32)}"):
        if not parts_folder(out).exists():
            refuse_output(out, arguments.overwrite)
        finished = predict(bundle, arguments.what, out, crew, arguments.overwrite, progress)
    progress.say(f"{finished.samples:,} samples by release {bundle.hash}: {out}")
    if finished.bad and not arguments.skip_bad:
        raise DataError(_bad(finished))
    if finished.bad:
        progress.say(_bad(finished))
    return 0


@dataclass(frozen=True)
class Crew:
    """Args: workers: None: as many threads as decode for a run, or all cores that the backend has."""

    backend: Backend
    workers: int | None

    def scored(self, score: Score, chunks: Iterator[Numbered]) -> Iterator[tuple[int, bytes]]:
        """Raises: FeatureError: a worker was killed. MissingExtraError: the backend is not installed."""
        if self.backend == "threads":
            workers = self.workers or THREADS
            return by_threads(score, chunks, workers, window=2 * workers)
        return self._by_processes(score, chunks)

    def _by_processes(self, score: Score, chunks: Iterator[Numbered]) -> Iterator[tuple[int, bytes]]:
        try:
            yield from by_processes(score, chunks, self.backend, self.workers, f"--backend {self.backend}")
        except BrokenExecutor as error:
            raise FeatureError(
                "a process was ended from outside, most likely for want of memory; the same command goes on, "
                "with fewer --workers or --backend threads"
            ) from error


def predict(bundle: Bundle, what: str, out: Path, crew: Crew, overwrite: bool, progress: Progress) -> Finished:
    """Raises: DataError: there is nothing, or it changed meanwhile. RecipeError: the output is there.
    StoreError: a file cannot be read or written. ModelError: the model cannot run.
    """
    inputs = open_inputs(what, scorer_in(bundle.folder).signature, out)
    listed = listing(inputs, what, progress)
    facts = {"release": bundle.hash, "inputs": listed.digest, "samples at once": CHUNK, "totalml": __version__}
    parts = Parts.begin(out, facts, listed.chunks, overwrite, progress.say)
    missing = [number for number in range(listed.chunks) if not parts.has(number)]
    chunks = as_listed(inputs, listed, what, {*missing})
    made = crew.scored(Score(bundle.folder, bundle.hash, inputs.folder), chunks)
    for number, data in progress.track(made, f"predict, {CHUNK} samples at once", len(missing)):
        parts.save(number, data)
    return parts.join()


def _output(given: str) -> Path:
    """Raises: RecipeError: it is no Parquet file of this machine."""
    if is_url(given):
        raise RecipeError(f"command line: --out {given} is a URL; give a file of this machine, and copy it there after")
    if not given.endswith(".parquet"):
        raise RecipeError(f"command line: --out {given} is to be a Parquet file; let its name end in .parquet")
    return Path(given).expanduser()


def _bad(finished: Finished) -> str:
    left = finished.bad - len(finished.shown)
    what = f"{finished.bad:,} of {finished.samples:,} samples could not be used; the column 'error' says why:"
    return "\n".join([what, *finished.shown, *([f"  ... and {left:,} more"] if left else [])])
