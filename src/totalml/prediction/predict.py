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
from pathlib import Path
from typing import TYPE_CHECKING

from totalml import __version__
from totalml.errors import DataError, RecipeError
from totalml.prediction.chunk import Listed
from totalml.prediction.inputs import listing, open_inputs, wanted_chunks
from totalml.prediction.parts import Finished, Parts, output_locked, parts_folder, refuse_output
from totalml.prediction.score import Score, scorer_in
from totalml.progress import Progress
from totalml.release.named import find_release
from totalml.url import is_url
from totalml.values.shown import counted
from totalml.workers import Crew
from totalml.workers.options import configure_crew, crew_of

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH")
    parser.add_argument("what", metavar="WHAT", help="a folder, a glob in quotes, or a .csv, .tsv or .parquet")
    parser.add_argument("--out", metavar="FILE", required=True, help="a .parquet of this machine")
    parser.add_argument("--overwrite", action="store_true", help="replace the output that is there")
    parser.add_argument("--skip-bad", action="store_true", help="end with 0 although samples could not be used")
    parser.add_argument("--maps", type=float, default=0.0, metavar="SHARE", help="tell of these what it looked at (0)")
    configure_crew(parser)


def run(arguments: argparse.Namespace, place: Place) -> int:
    out = _output(arguments.out)
    if not 0 <= arguments.maps <= 1:
        raise RecipeError(f"command line: --maps {arguments.maps:g} is a share, from 0 to 1")
    crew = crew_of(arguments)
    store, progress = place.open_store(), Progress.create()
    bundle = find_release(arguments.release, store)
    with output_locked(out):
        if not parts_folder(out).exists():
            refuse_output(out, arguments.overwrite)
        finished = predict(bundle, arguments.what, out, crew, arguments.overwrite, progress, arguments.maps)
    progress.say(f"{counted(finished.samples, 'sample')} by release {bundle.hash}: {out}")
    if finished.bad and not arguments.skip_bad:
        raise DataError(_bad(finished))
    if finished.bad:
        progress.say(_bad(finished))
    return 0


def predict(
    bundle: Bundle, what: str, out: Path, crew: Crew, overwrite: bool, progress: Progress, maps: float = 0.0
) -> Finished:
    """Args: maps: share of the samples of which it is told what the model looked at.

    Raises: DataError: there is nothing, or it changed meanwhile. RecipeError: the output is there.
    StoreError: a file cannot be read or written. ModelError: the model cannot run.
    WorkerError, MissingExtraError: as of `Crew.map`.
    """
    inputs = open_inputs(what, scorer_in(bundle.folder), out)
    listed = listing(inputs, what, progress)
    facts = {"release": bundle.hash, "inputs": listed.digest, "samples at once": inputs.at_once, "totalml": __version__}
    facts |= {"maps": maps} if maps else {}
    parts = Parts.begin(out, facts, len(listed.states), overwrite, progress.say)
    missing = parts.missing
    chunks = wanted_chunks(inputs, listed, what, {*missing})
    score = Score(bundle.folder, bundle.hash, inputs.folder, what, maps, parts if crew.shares_files else None)
    made = crew.map(score, chunks, _name, len(missing))
    return parts.join(progress.track(made, f"predict, {inputs.at_once:,} samples at once", len(missing)))


def _output(given: str) -> Path:
    """Raises: RecipeError: it is no Parquet file of this machine."""
    if is_url(given):
        raise RecipeError(f"command line: --out {given} is a URL; give a file of this machine, and copy it there after")
    if not given.endswith(".parquet"):
        raise RecipeError(f"command line: --out {given} is to be a Parquet file; let its name end in .parquet")
    return Path(given).expanduser()


def _name(listed: Listed) -> str:
    ids = listed.chunk.ids
    return f"the part of samples {ids[0]!r} to {ids[-1]!r}"


def _bad(finished: Finished) -> str:
    left = finished.bad - len(finished.shown)
    what = f"{finished.bad:,} of {counted(finished.samples, 'sample')} could not be used; the column 'error' says why:"
    return "\n".join([what, *finished.shown, *([f"  ... and {left:,} more"] if left else [])])
