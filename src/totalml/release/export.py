"""Put a release into a folder that other tools take: as it is, as a model of MLflow, or to make a container of.

  totalml export guinness@production --to onnx DIR      every file of the release, for any runtime of ONNX
  totalml export guinness@production --to mlflow DIR    mlflow.pyfunc.load_model(DIR), mlflow models serve -m DIR
  totalml export guinness@production --to oci DIR       podman build DIR, docker build -f DIR/Containerfile DIR

DIR is new or empty, and whole or not there. Whoever has it needs no store, no recipe and no torch.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.release.bundle import MODEL, Bundle
from totalml.release.named import find_release
from totalml.store.atomic import temporary_beside

if TYPE_CHECKING:
    from totalml.project import Place

# form -> its module, with `fill(folder, bundle)` and `told(folder, bundle) -> lines`
FORMS = {
    "onnx": "totalml.release.export_onnx",
    "mlflow": "totalml.release.export_mlflow",
    "oci": "totalml.release.export_oci",
}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH")
    parser.add_argument("--to", choices=FORMS, required=True, help="what to make of it")
    parser.add_argument("folder", metavar="DIR", type=Path, help="new or empty")


def run(arguments: argparse.Namespace, place: Place) -> int:
    bundle = find_release(arguments.release, place.open_store())
    _require_onnx(bundle, arguments.release)
    bundle.verify()
    form = import_module(FORMS[arguments.to])
    with _new_folder(arguments.folder) as folder:
        form.fill(folder, bundle)
    print(f"{arguments.folder} holds {arguments.release}, release {bundle.hash}")
    print("\n".join(form.told(arguments.folder, bundle)))
    return 0


def _require_onnx(bundle: Bundle, text: str) -> None:
    """Raises: RecipeError: torch and the recipe's own code run it, which an export would have to bring."""
    if MODEL not in bundle:
        raise RecipeError(
            f"command line: {text} was released with registry.format=torch and runs only beside its recipe; "
            "release a run with registry.format=onnx to export it"
        )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """To fill; what it holds stands at `folder` in the end.

    Raises: RecipeError: something else is there, or it cannot be written.
    """
    final = folder.resolve()
    try:
        if final.exists() and (not final.is_dir() or any(final.iterdir())):
            raise RecipeError(f"command line: {folder} is no empty folder; give one that is empty or not there yet")
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary = temporary_beside(final)
        temporary.mkdir()
        try:
            yield temporary
            temporary.rename(final)  # which fails where it has been filled meanwhile
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise RecipeError(f"command line: {folder} cannot be written: {error.strerror or error}") from error
