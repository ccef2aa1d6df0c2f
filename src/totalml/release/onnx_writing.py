"""Write a module as ONNX, or say in one line why it cannot be.

Equal weights give equal bytes: nothing of them tells where or when they were written.
"""

from __future__ import annotations

import io
import logging
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from totalml.errors import ModelError

if TYPE_CHECKING:
    from totalml.release.served_module import Served

OPSET = 20
BATCH = "batch"  # what the file calls the number of samples
LONGEST = 200  # characters of a reason
MEND = "Release it as torch instead, which is served with the extra 'torch'."

# What torch says of a model that cannot be exported, and what that means.
_PLAIN = {
    "Constraints violated": "its code takes batches of one size only, as by len() of a tensor",
    "data-dependent": "its code decides by the values of a batch",
    "Data-dependent": "its code decides by the values of a batch",
    "No ONNX function found": "ONNX has no operator for a step of it",
}


def onnx_bytes(served: Served) -> bytes:
    """Raises: ModelError: the model cannot be exported; why, in one line."""
    blank = served.blank()
    batch = torch.export.Dim(BATCH)
    served.eval().requires_grad_(False)
    try:
        with _quiet():
            program = torch.export.export(
                served, (), blank, dynamic_shapes={name: {0: batch} for name in blank}, strict=False
            )
            written = torch.onnx.export(
                program,
                dynamo=True,
                input_names=[*blank],
                output_names=[*served.outputs],
                opset_version=OPSET,
                verbose=False,
            )
            if written is None:
                raise ModelError("torch wrote nothing")
            return _plain_bytes(written.model_proto)
    except Exception as error:  # torch, its exporter and code of the recipe's own fail in any way
        raise ModelError(f"the model cannot be exported as ONNX: {_reason(error)}. {MEND}") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No word of the exporter, nor of the model's own code: what went wrong is raised."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def _plain_bytes(model: Any) -> bytes:
    """What the model computes and nothing else: no paths, names of classes, lines of code or notes of the exporter.

    Args: model: onnx.ModelProto; is changed.
    """
    for name in ("producer_name", "producer_version", "domain", "model_version"):
        model.ClearField(name)
    model.graph.ClearField("value_info")  # shapes in between, which onnxruntime works out itself
    for port in (*model.graph.input, *model.graph.output):
        port.type.tensor_type.shape.dim[0].dim_param = BATCH
    _without_notes(model)
    written: bytes = model.SerializeToString(deterministic=True)
    return written


def _without_notes(message: Any) -> None:
    for field, value in message.ListFields():
        if field.name in ("doc_string", "metadata_props"):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for inner in (value,) if hasattr(value, "ListFields") else value:
                _without_notes(inner)


def _reason(error: BaseException) -> str:
    """The innermost cause in one line, with the line of the recipe's own code."""
    while error.__cause__ is not None:
        error = error.__cause__
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "recipes" in Path(frame.filename).parts]
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = f"{type(error).__name__}: {lines[0] if lines else ''}"[:LONGEST].rstrip(". :")
    plain = next((f"{plain} ({told})" for sign, plain in _PLAIN.items() if sign in str(error)), told)
    return plain + where
