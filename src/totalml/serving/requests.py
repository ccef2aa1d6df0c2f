"""From the body of a request to pictures and rows, within limits that are looked at before anything is read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from totalml.serving.batcher import Asked
from totalml.serving.limits import Limits

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request

    from totalml.release.signature import Signature

WHAT_IT_CAN_BE = (
    "one picture as the body (Content-Type: image/jpeg), several as multipart/form-data with a file each and a field "
    "'rows' of JSON, or JSON: {\"rows\": [{...}, ...]}"
)


class RefusedError(Exception):
    """A request that is answered by a 4xx.

    Args:
        status: of HTTP.
        reason: for the person who sent it.
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


async def read_request(request: Request, request_id: str, signature: Signature, limits: Limits) -> Asked:
    """Raises: RefusedError: it is too large, too slow, or nothing that is understood."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    _refuse_long(request, limits)
    if kind == "multipart/form-data":
        pictures, rows, names = await _multipart(request, limits)
    elif kind == "application/json":
        pictures, names = None, []
        rows = _rows(_json(await _body(request, limits)))
    elif kind.startswith("image/") or kind == "application/octet-stream":
        pictures, names = [await _body(request, limits)], ["picture"]
        rows = _metadata(request)
    else:
        raise RefusedError(415, f"Content-Type {kind or 'is missing'!r} is not understood; give {WHAT_IT_CAN_BE}")
    count = len(pictures) if pictures is not None else len(rows or ())
    if not count:
        raise RefusedError(422, f"there is nothing to answer; give {WHAT_IT_CAN_BE}")
    if count > limits.samples:
        raise RefusedError(413, f"{count} samples in one request; at most {limits.samples} are taken")
    if pictures is not None and rows is not None and len(rows) != len(pictures):
        raise RefusedError(
            422, f"there are {len(pictures)} pictures and {len(rows)} rows; give one row for each picture"
        )
    ids = names or [f"row {number}" for number in range(1, count + 1)]
    explain = request.query_params.get("explain", "0").lower() in ("1", "true", "yes")
    return Asked(request_id, ids, pictures, _table(rows, signature), explain)


def _refuse_long(request: Request, limits: Limits) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal():
        raise RefusedError(400, f"Content-Length {length!r} is no number")
    if int(length) > limits.body_bytes:
        raise _too_long(limits)


async def _body(request: Request, limits: Limits) -> bytes:
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_s):
            async for part in request.stream():
                size += len(part)
                if size > limits.body_bytes:
                    raise _too_long(limits)
                parts.append(part)
    except TimeoutError:
        raise RefusedError(408, f"the request was not here after {limits.body_s:g} s") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


async def _multipart(request: Request, limits: Limits) -> tuple[list[bytes] | None, list[Any] | None, list[str]]:
    from starlette.formparsers import MultiPartException, MultiPartParser

    body = await _body(request, limits)

    async def stream() -> Any:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=limits.samples + 1, max_fields=8, max_part_size=limits.body_bytes
    )
    parser.spool_max_size = limits.body_bytes  # in memory, as the body is: the disk may be read-only
    try:
        form = await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        status = 413 if "Too many files" in str(error) else 400
        raise RefusedError(status, f"the multipart body cannot be read: {error}") from None
    try:
        return await _parts(form)
    finally:
        await form.close()


async def _parts(form: FormData) -> tuple[list[bytes] | None, list[Any] | None, list[str]]:
    """Pictures, rows, and names of the pictures.

    Raises: RefusedError: a field that is none of ours.
    """
    pictures: list[bytes] = []
    names: list[str] = []
    rows = None
    for name, value in form.multi_items():
        if not isinstance(value, str):
            pictures.append(await value.read())
            names.append(value.filename or f"picture {len(pictures)}")
        elif name in ("rows", "metadata"):
            rows = _rows(_json(value.encode()))
        else:
            raise RefusedError(422, f"there is no field {name!r}; metadata go into a field 'rows' as JSON")
    return pictures or None, rows, names


def _metadata(request: Request) -> list[Any] | None:
    given = request.query_params.get("metadata")
    return None if given is None else _rows(_json(given.encode()))


def _json(data: bytes) -> Any:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, f"the JSON cannot be read: {error}") from None


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON; leave out what is not known, or give null")


def _rows(given: Any) -> list[Any]:
    if isinstance(given, Mapping) and isinstance(given.get("rows"), list) and len(given) == 1:
        given = given["rows"]
    elif isinstance(given, Mapping) and "rows" not in given:
        given = [given]
    if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
        raise RefusedError(422, 'expected {"rows": [{"column": value, ...}, ...]}')
    return given


def _table(rows: Sequence[Mapping[str, Any]] | None, signature: Signature) -> pa.Table | None:
    """Raises: RefusedError: names every column that is unknown or of another type than the model learnt."""
    if rows is None:
        return None
    wrong: list[str] = []
    if unknown := sorted({str(name) for row in rows for name in row} - {*signature.columns}):
        wrong.append(f"unknown columns {', '.join(unknown)}; the model takes {', '.join(signature.columns) or 'none'}")
    columns = {}
    for name in signature.columns:
        read = _NUMBER if name in signature.numeric else _WORD
        values = [row.get(name) for row in rows]
        if bad := [value for value in values if value is not None and not read.fits(value)]:
            wrong.append(f"column {name!r} wants {read.what}; got {json.dumps(bad[0])[:80]}")
            continue
        columns[name] = pa.array([None if value is None else read.made(value) for value in values], read.kind)
    if wrong:
        raise RefusedError(422, "; ".join(wrong))
    return pa.table(columns) if columns else pa.table({"": pa.nulls(len(rows))})


@dataclass(frozen=True)
class _Column:
    """What a column takes of JSON."""

    kind: pa.DataType
    what: str
    fits: Callable[[Any], bool]
    made: Callable[[Any], Any]


def _worded(value: Any) -> str:
    """As Arrow writes the values of a column that is cast to text."""
    return value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)


_NUMBER = _Column(pa.float64(), "a number", lambda value: isinstance(value, int | float) and abs(value) < 3.4e38, float)
_WORD = _Column(pa.string(), "a text", lambda value: isinstance(value, str | int), _worded)


def _too_long(limits: Limits) -> RefusedError:
    return RefusedError(413, f"the request is longer than {limits.body_bytes:,} bytes")
