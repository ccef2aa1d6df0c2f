"""A release as a model of MLflow: its folder `release`, loaded by `totalml.release.mlflow_model`.

Written without MLflow, and the same of the same release. Nothing is pickled.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import yaml

from totalml.identity import short
from totalml.release.bundle import Bundle, copy_bundle
from totalml.release.export_packages import ours
from totalml.release.mlflow_model import PICTURE
from totalml.release.signature import Signature

if TYPE_CHECKING:
    from pathlib import Path

LOADER, DATA = "totalml.release.mlflow_model", "release"
CONDA, PYTHON_ENV, REQUIREMENTS = "conda.yaml", "python_env.yaml", "requirements.txt"
MLFLOW = "mlflow>=3,<4"
# Arrow's types of answers -> MLflow's
TYPES = {"string": "string", "double": "double", "float": "float", "int64": "long", "bool": "boolean"}


def fill(folder: Path, bundle: Bundle) -> None:
    copy_bundle(bundle, folder / DATA)
    python = platform.python_version()
    needed = [ours(), MLFLOW]
    build = ["pip", "setuptools", "wheel"]
    conda = {
        "name": bundle.name,
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": needed}],
    }
    env = {"python": python, "build_dependencies": build, "dependencies": [f"-r {REQUIREMENTS}"]}
    _write(folder / "MLmodel", _model(bundle, python))
    _write(folder / CONDA, conda)
    _write(folder / PYTHON_ENV, env)
    (folder / REQUIREMENTS).write_text("".join(f"{each}\n" for each in needed), encoding="utf-8")


def told(folder: Path, bundle: Bundle) -> Iterator[str]:
    signature = Signature.read(bundle)
    yield f"mlflow.pyfunc.load_model({str(folder)!r}).predict(frame) takes the columns:"
    yield from (f"  {column['name']}: {column['type']}" for column in _inputs(signature))
    yield f"It answers with the columns: {', '.join(signature.answers)}"


def _model(bundle: Bundle, python: str) -> dict[str, Any]:
    signature = Signature.read(bundle)
    flavor = {
        "loader_module": LOADER,
        "data": DATA,
        "env": {"conda": CONDA, "virtualenv": PYTHON_ENV},
        "python_version": python,
    }
    return {
        "flavors": {"python_function": flavor},
        "model_uuid": short(bundle.hash, 32),
        "metadata": {"name": bundle.name, "release": bundle.hash},
        "signature": {"inputs": json.dumps(_inputs(signature)), "outputs": json.dumps(_outputs(signature))},
    }


def _inputs(signature: Signature) -> list[dict[str, Any]]:
    """Bytes for pictures: MLflow's server then turns the base64 of a caller into them."""
    seen = {PICTURE: "binary"} if signature.picture else {}
    seen |= dict.fromkeys(signature.numeric, "double") | dict.fromkeys(signature.categorical, "string")
    return [{"name": name, "type": kind, "required": True} for name, kind in seen.items()]


def _outputs(signature: Signature) -> list[dict[str, Any]]:
    return [{"name": name, **_type(kind), "required": True} for name, kind in signature.answers.items()]


def _type(arrow: str) -> dict[str, Any]:
    if arrow.startswith("list<"):
        return {"type": "array", "items": _type(arrow.rpartition(": ")[2].removesuffix(">"))}
    return {"type": TYPES[arrow]}


def _write(file: Path, values: dict[str, Any]) -> None:
    file.write_text(yaml.safe_dump(values, sort_keys=False, allow_unicode=True), encoding="utf-8")
