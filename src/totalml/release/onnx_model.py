"""Run a released model with onnxruntime: no torch, no code of a recipe, nothing but ONNX's own operators.

What a file may hold is looked up before onnxruntime sees it, since a release may come from elsewhere: weights stand in
the file itself, so that none names another file to read, and every operator is of the standard.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SCORES, EMBEDDING, MAPS = "scores", "embedding", "maps"
IMAGE, NUMERIC, CATEGORICAL = "image", "numeric", "categorical"
INPUTS = {IMAGE: "uint8", NUMERIC: "float32", CATEGORICAL: "int64"}  # all that a model of ours takes, in this order

_STANDARD = (b"", b"ai.onnx")  # domains of operators
_MEND = "Release the run again."
_LONGEST = 200  # characters of what onnxruntime says
_FATAL = 4  # onnxruntime then logs nothing that it also raises


@dataclass(frozen=True)
class Port:
    """Args:
    shape: None: any number, which is how many samples there are.
    dtype: numpy's name.
    """

    shape: tuple[int | None, ...]
    dtype: str

    def empty(self) -> NDArray[Any]:
        """Of no samples."""
        return np.empty([size or 0 for size in self.shape], self.dtype)

    def __str__(self) -> str:
        return f"({', '.join('B' if size is None else str(size) for size in self.shape)}) {self.dtype}"


class OnnxModel:
    """Any number of threads may call `run` at once.

    Attributes:
        inputs: `image` (B, H, W, C) uint8, `numeric` (B, Dn) float32, `categorical` (B, Dc) int64: those it takes.
        outputs: `scores` (B, A) float32, `embedding` (B, D) and `maps` (B, A, h, w): those it gives.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        with _explained(f"the model cannot be read. {_MEND}"):  # a damaged name is no text
            self.inputs = {port.name: _port(port) for port in session.get_inputs()}
            self.outputs = {port.name: _port(port) for port in session.get_outputs()}
        _require_ours(self.inputs, self.outputs)

    @classmethod
    def load(cls, data: bytes | Path, threads: int = 1) -> Self:
        """Args:
            data: what `export_onnx` wrote, or the file of it.
            threads: that one call of `run` computes with.
        Raises: ModelError: it cannot be read, is damaged, or is no model of a release.
        """
        held = _read(data) if isinstance(data, Path) else data
        _require_plain(held)
        return cls(_session(held, threads))

    def run(
        self, inputs: Mapping[str, NDArray[Any]], outputs: Sequence[str] | None = None
    ) -> dict[str, NDArray[np.float32]]:
        """Args:
            inputs: as `self.inputs` says, with a row for each of B samples. Those of other models are ignored.
            outputs: those that are wanted, and no others are computed; None: all.
        Raises: ModelError: an input is missing, unknown or of another shape or type; or there is no such output.
        """
        wanted = list(self.outputs if outputs is None else outputs)
        if unknown := [name for name in wanted if name not in self.outputs]:
            raise ModelError(f"the model gives no {_listed(unknown)}; it gives {_listed(self.outputs)}")
        self._refuse_misfit(inputs)
        if not any(len(inputs[name]) for name in self.inputs):  # which not every onnxruntime can reshape
            return {name: self.outputs[name].empty() for name in wanted}
        with _explained("the model cannot answer these inputs"):
            answered = self._session.run(wanted, {name: inputs[name] for name in self.inputs})
        return dict(zip(wanted, answered, strict=True))

    def _refuse_misfit(self, inputs: Mapping[str, NDArray[Any]]) -> None:
        if missing := [name for name in self.inputs if name not in inputs]:
            raise ModelError(f"the model also takes {_listed(missing)}; it takes {_listed(self.inputs)}")
        if unknown := [name for name in inputs if name not in INPUTS]:
            raise ModelError(f"the model takes no {_listed(unknown)}; it takes {_listed(self.inputs)}")
        for name, port in self.inputs.items():
            given = inputs[name]
            if not isinstance(given, np.ndarray) or given.dtype != port.dtype or not _fits(given.shape, port.shape):
                raise ModelError(f"the model takes {name} as {port}, got {_described(given)}")
        counts = {name: len(inputs[name]) for name in self.inputs}
        if len({*counts.values()}) > 1:
            told = ", ".join(f"{count} of {name}" for name, count in counts.items())
            raise ModelError(f"every input has a row for each sample, got {told}")


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise ModelError(f"the model {file} cannot be read: {error.strerror or error}. {_MEND}") from error


def _session(data: bytes, threads: int) -> Any:
    # Since 1.29 it would tell its maker, over the network, of each model and how often it runs.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _FATAL
    # Threads that spin while they wait slow every other process on the machine down.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Not onnxruntime's own format, which it would tell by its first bytes.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    with _explained(f"the model cannot be read. {_MEND}"):
        # A second try would print that the first one failed.
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"], enable_fallback=0)


@contextmanager
def _explained(what: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # the errors of onnxruntime share no class of their own
        raise ModelError(f"{what} ({_told(error)})") from error


def _port(port: Any) -> Port:
    """Args: port: of onnxruntime, with a type such as `tensor(float)`."""
    names = {"tensor(float)": "float32", "tensor(uint8)": "uint8", "tensor(int64)": "int64"}
    shape = tuple(size if isinstance(size, int) else None for size in port.shape)
    return Port(shape, names.get(port.type, port.type))


def _require_ours(inputs: Mapping[str, Port], outputs: Mapping[str, Port]) -> None:
    foreign = [name for name, port in inputs.items() if INPUTS.get(name) != port.dtype or port.shape[:1] != (None,)]
    if foreign or SCORES not in outputs:
        told = f"takes {_listed(inputs)} and gives {_listed(outputs)}"
        raise ModelError(f"the ONNX file is no model of a release: it {told}. {_MEND}")


def _fits(given: Sequence[int], asked: Sequence[int | None]) -> bool:
    return len(given) == len(asked) and all(wide in (None, size) for size, wide in zip(given, asked, strict=True))


def _described(given: object) -> str:
    return str(Port(given.shape, str(given.dtype))) if isinstance(given, np.ndarray) else type(given).__name__


def _listed(names: Sequence[str] | Mapping[str, Port]) -> str:
    return ", ".join(names) or "nothing"


def _told(error: Exception) -> str:
    """Without the codes that onnxruntime puts in front: `[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : ...`."""
    text = " ".join(str(error).split())
    return (text.split(" : ", 3)[-1] if text.startswith("[ONNXRuntimeError]") else text)[:_LONGEST].rstrip(". ")


# What may hold other messages in a file of ONNX: number of a field -> what kind of message stands there.
# Source: onnx.proto, whose numbers never change.
_MESSAGES: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 8: "opset", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "opset": {},
    "tensor": {},
}
_DOMAIN = {"opset": 1, "node": 7}
_OPERATOR = 4  # field of a node
_ENDLESS = (b"Loop", b"Scan")  # may go round for as long as their data say
_ELSEWHERE = (13, 14)  # fields of a tensor: where outside the file its values lie
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers


def _require_plain(data: bytes) -> None:
    """Raises: ModelError: weights lie in another file, or an operator is none of ONNX's own or may never end."""
    try:
        _walk(memoryview(data), "model")
    except (IndexError, ValueError, RecursionError) as error:
        raise ModelError(f"the model is no whole ONNX file. {_MEND}") from error


def _walk(message: memoryview, kind: str) -> None:
    for number, value in _fields(message):
        inner = _MESSAGES[kind].get(number)
        named = number == _DOMAIN.get(kind)
        if isinstance(value, int) and (inner or named):
            raise ValueError("a number where text or a message belongs")
        if kind == "tensor" and number in _ELSEWHERE and value:
            raise ModelError(f"the model keeps weights in another file, which is not read. {_MEND}")
        if named and bytes(value) not in _STANDARD:
            name = bytes(value).decode(errors="replace")
            raise ModelError(f"the model has operators of {name!r}; only those of ONNX itself are run. {_MEND}")
        if kind == "node" and number == _OPERATOR and not isinstance(value, int) and bytes(value) in _ENDLESS:
            raise ModelError(f"the model has a {bytes(value).decode()}, which may never end, and is not run. {_MEND}")
        if inner:
            _walk(value, inner)


def _fields(message: memoryview) -> Iterator[tuple[int, Any]]:
    """Number and value of each: int, or memoryview of `message`.

    Raises: IndexError, ValueError: these are no protocol buffers.
    """
    place = 0
    while place < len(message):
        key, place = _varint(message, place)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, place = _varint(message, place)
            yield number, value
            continue
        if wire == _LENGTH:
            size, place = _varint(message, place)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}.get(wire, len(message) + 1)
        if place + size > len(message):
            raise ValueError("cut off")
        yield number, message[place : place + size]
        place += size


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """The number that starts there, and the place behind it."""
    value = shift = 0
    while True:
        byte = message[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place
        shift += 7
        if shift > 63:
            raise ValueError("a number of more than 64 bits")
