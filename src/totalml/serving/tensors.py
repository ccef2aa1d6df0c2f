"""Samples as tensors of the Open Inference Protocol: read from JSON or from bytes after it, and written as either.

A missing value is null in JSON and NaN among the bytes; the bytes of a missing text are the empty text.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.evaluation.truth import shown_names
from totalml.serving.answers import plain
from totalml.serving.body import RefusedError, refuse_many
from totalml.serving.columns import table_of
from totalml.serving.inference_forms import Datatype, InputTensor

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.release.scorer import Scorer
    from totalml.release.signature import Signature
    from totalml.serving.exchange import Answered
    from totalml.serving.limits import Limits

PICTURE = "picture"
STRANGENESS, STRANGE = "strangeness", "strange"
_OF_ARROW: dict[str, Datatype] = {"double": "FP64", "bool": "BOOL"}
_LENGTH = 4  # bytes that say how long an element of BYTES is


def picture_tensor(signature: Signature) -> str | None:
    """`picture`, or with a _ more where a column is called so; None: the model sees none."""
    name = PICTURE
    while name in signature.columns:
        name += "_"
    return name if signature.picture else None


def input_tensors(signature: Signature) -> dict[str, Datatype]:
    """Name -> datatype."""
    picture = picture_tensor(signature)
    tensors: dict[str, Datatype] = {picture: "BYTES"} if picture else {}
    tensors |= dict.fromkeys(signature.numeric, "FP64")
    return tensors | dict.fromkeys(signature.categorical, "BYTES")


def output_tensors(scorer: Scorer) -> dict[str, Datatype]:
    """Name -> datatype."""
    tensors: dict[str, Datatype] = {
        name: _OF_ARROW.get(kind, "BYTES") for name, kind in scorer.signature.answers.items()
    }
    return tensors | ({STRANGENESS: "FP64", STRANGE: "BOOL"} if scorer.knows_strangers else {})


def read_tensors(
    tensors: Sequence[InputTensor], binary: bytes, signature: Signature, limits: Limits
) -> tuple[int, list[bytes] | None, pa.Table | None]:
    """How many samples there are, their pictures and their rows.

    Args: binary: the tensors that are not in the JSON, one after the other.
    Raises: RefusedError: they are not what the model takes.
    """
    _refuse_others(tensors, input_tensors(signature))
    count = _count(tensors)
    refuse_many(count, limits)
    values, picture, start = {}, picture_tensor(signature), 0
    for tensor in tensors:
        end = start + (tensor.size or 0)
        made = _picture if tensor.name == picture else _number if tensor.datatype == "FP64" else _word
        values[tensor.name] = _values(tensor, binary[start:end], count, made)
        start = end
    if left := len(binary) - start:
        raise RefusedError(400, f"{left} bytes after the JSON belong to no input; give their binary_data_size")
    pictures = values.pop(picture) if picture else None
    return count, pictures, table_of(values, count, signature) if signature.columns else None


def written_values(name: str, answered: Answered) -> list[Any]:
    """Of an output, as JSON has them."""
    scored, part = answered.scored, slice(answered.first, answered.first + answered.count)
    if name == STRANGENESS and scored.strangeness is not None:
        values = scored.strangeness[part].tolist()
    elif name == STRANGE and scored.strange is not None:
        values = scored.strange[part].tolist()
    else:
        values = scored.answers[name][part].to_pylist()
    return [_plain(value) for value in values]


def as_bytes(values: Sequence[Any], datatype: Datatype) -> bytes:
    match datatype:
        case "FP64":
            return np.array([np.nan if value is None else value for value in values], "<f8").tobytes()
        case "BOOL":
            return np.array(values, np.bool_).tobytes()
        case "BYTES":
            elements = [(value or "").encode() for value in values]
            return b"".join(len(each).to_bytes(_LENGTH, "little") + each for each in elements)


def _refuse_others(given: Sequence[InputTensor], wanted: Mapping[str, Datatype]) -> None:
    """Raises: RefusedError: names the inputs that are missing, unknown, there twice or of another datatype."""
    times = Counter(tensor.name for tensor in given)
    wrong = [f"input {name!r} is missing" for name in wanted if name not in times]
    if unknown := sorted(times.keys() - wanted.keys()):
        wrong.append(f"unknown inputs {shown_names(unknown)}; the model takes {', '.join(wanted)}")
    if twice := [name for name, count in times.items() if count > 1]:
        wrong.append(f"inputs that are there twice: {shown_names(twice)}")
    known = [tensor for tensor in given if tensor.name in wanted]
    wrong += [
        f"input {tensor.name!r} is {tensor.datatype}; give {wanted[tensor.name]}"
        for tensor in known
        if tensor.datatype != wanted[tensor.name]
    ]
    if wrong:
        raise RefusedError(422, "; ".join(wrong))


def _count(tensors: Sequence[InputTensor]) -> int:
    counts = {tensor.shape[0] for tensor in tensors}
    if len(counts) > 1:
        shapes = ", ".join(f"{tensor.name} {tensor.shape}" for tensor in tensors)
        raise RefusedError(422, f"all inputs hold as many samples; got {shapes}")
    if counts == {0}:
        raise RefusedError(422, "there is nothing to answer: the inputs hold no samples")
    return counts.pop()


def _values(tensor: InputTensor, binary: bytes, count: int, made: Callable[[Any], Any]) -> list[Any]:
    if (tensor.size is None) == (tensor.data is None):
        raise RefusedError(422, f"input {tensor.name!r} has either data or a binary_data_size")
    try:
        given = tensor.data if tensor.data is not None else _of_bytes(tensor, binary, count)
        values = [made(value) for value in given]
    except ValueError as error:
        raise RefusedError(422, f"input {tensor.name!r}: {error}") from None
    if len(values) != count:
        raise RefusedError(422, f"input {tensor.name!r} has the shape {tensor.shape} and {len(values)} values")
    return values


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value


def _word(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.decode() or None
    if not isinstance(value, str | None):
        raise ValueError(f"BYTES are texts; got {value}")
    return value


def _picture(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise ValueError(f"a picture is its file in base64; got {value}")
    return base64.b64decode(value, validate=True)


def _of_bytes(tensor: InputTensor, binary: bytes, count: int) -> list[Any]:
    if len(binary) != tensor.size:
        raise ValueError(f"{tensor.size} bytes should stand after the JSON; {len(binary)} do")
    if tensor.datatype == "BYTES":
        return _elements(binary, count)
    if len(binary) != 8 * count:
        raise ValueError(f"{count} values of FP64 are {8 * count} bytes, not {len(binary)}")
    values: list[float] = np.frombuffer(binary, "<f8").tolist()
    return values


def _elements(binary: bytes, count: int) -> list[bytes]:
    """Each stands after its length."""
    elements, start = [], 0
    for _ in range(count):
        end = start + _LENGTH + int.from_bytes(binary[start : start + _LENGTH], "little")
        if end > len(binary):
            raise ValueError("an element of BYTES is longer than what is there")
        elements.append(binary[start + _LENGTH : end])
        start = end
    if start != len(binary):
        raise ValueError(f"{len(binary) - start} bytes are left after the last element")
    return elements


def _plain(value: Any) -> Any:
    """The protocol knows no lists of texts."""
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False)
    return plain(value)
