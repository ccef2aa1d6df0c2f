"""What `/predict` takes: from the body of a request to pictures and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from totalml.serving.body import RefusedError, read_body, read_json, refuse_long, refuse_many
from totalml.serving.columns import table_of
from totalml.serving.exchange import Asked
from totalml.serving.guard import ID
from totalml.serving.limits import Limits

if TYPE_CHECKING:
    import pyarrow as pa
    from starlette.datastructures import FormData
    from starlette.formparsers import MultiPartParser
    from starlette.requests import Request

    from totalml.release.signature import Signature

SHOWN = 5  # empty rows in a reason
WHAT_IT_CAN_BE = (
    "one picture as the body (Content-Type: image/jpeg), several as multipart/form-data with a file each and a field "
    "'rows' of JSON, or JSON: {\"rows\": [{...}, ...]}"
)
FORM = (
    "Content-Type 'application/x-www-form-urlencoded' is what curl sends unless told; for rows write "
    "-H 'Content-Type: application/json' -d '{\"rows\": [{...}]}', for a picture -H 'Content-Type: image/jpeg' "
    "--data-binary @FILE"
)


async def read_request(request: Request, signature: Signature, limits: Limits) -> Asked:
    """Raises: RefusedError: it is too large, too slow, or nothing that is understood."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    history: list[Any] = []
    if kind == "multipart/form-data":
        pictures, rows, names = await _multipart(request, limits)
    elif kind == "application/json":
        pictures, names = None, []
        rows, history = _with_history(read_json(await read_body(request, limits)), signature)
        refuse_long(len(history), limits)
    elif kind.startswith("image/") or kind == "application/octet-stream":
        pictures, names = [await read_body(request, limits)], ["picture"]
        rows = _metadata(request)
    elif kind == "application/x-www-form-urlencoded":
        raise RefusedError(415, FORM)
    else:
        raise RefusedError(415, f"Content-Type {kind or 'is missing'!r} is not understood; give {WHAT_IT_CAN_BE}")
    count = len(pictures) if pictures is not None else len(rows or ())
    if not count:
        raise RefusedError(422, f"there is nothing to answer; give {WHAT_IT_CAN_BE}")
    refuse_many(count, limits)
    if pictures is not None and rows is not None and len(rows) != len(pictures):
        raise RefusedError(
            422, f"there are {len(pictures)} pictures and {len(rows)} rows; give one row for each picture"
        )
    ids = names or [f"row {number}" for number in range(1, count + 1)]
    explain = request.query_params.get("explain", "0").lower() in ("1", "true", "yes")
    table = _table(rows, signature, history)
    if table is None or not history:
        return Asked(request.scope[ID], ids, pictures, table, explain)
    before = len(history)
    return Asked(request.scope[ID], ids, pictures, table.slice(before), explain, table.slice(0, before))


async def _multipart(request: Request, limits: Limits) -> tuple[list[bytes] | None, list[Any] | None, list[str]]:
    from starlette.formparsers import MultiPartParser

    body = await read_body(request, limits)

    async def stream() -> Any:
        yield body

    parser = MultiPartParser(
        request.headers, stream(), max_files=limits.samples + 1, max_fields=8, max_part_size=limits.body_bytes
    )
    parser.spool_max_size = limits.body_bytes  # in memory, as the body is: the disk may be read-only
    ended: list[bool] = []
    parser.on_end = lambda: ended.append(True)  # type: ignore[method-assign]
    try:
        form = await _parsed(parser)
        if not ended:  # starlette leaves a part out that is cut off
            raise RefusedError(400, "the multipart body ends before the boundary that closes it")
        return await _parts(form)
    finally:
        for file in parser._files_to_close_on_error:  # also that of a part that is in no form
            file.close()


async def _parsed(parser: MultiPartParser) -> FormData:
    from starlette.formparsers import MultiPartException

    try:
        return await parser.parse()
    except (MultiPartException, ValueError, KeyError) as error:
        status = 413 if "Too many files" in str(error) else 400
        raise RefusedError(status, f"the multipart body cannot be read: {error}") from None


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
            names.append(_whole(value.filename or f"picture {len(pictures)}"))
        elif name in ("rows", "metadata"):
            rows = _rows(read_json(_whole(value).encode()))
        else:
            raise RefusedError(422, f"there is no field {name!r}; metadata go into a field 'rows' as JSON")
    return pictures or None, rows, names


def _whole(text: str) -> str:
    """Without halves of characters, which some charsets can spell and nothing can keep."""
    return text.encode(errors="replace").decode()


def _metadata(request: Request) -> list[Any] | None:
    given = request.query_params.get("metadata")
    return None if given is None else _rows(read_json(given.encode()))


def _with_history(given: Any, signature: Signature) -> tuple[list[Any], list[Any]]:
    """Rows to answer, and those of before."""
    if not isinstance(given, Mapping) or "history" not in given or "rows" not in given:
        return _rows(given), []
    given = dict(given)
    try:
        history = _rows({"rows": given.pop("history")})
    except RefusedError:
        raise RefusedError(422, 'expected {"history": [{"column": value, ...}, ...], "rows": [...]}') from None
    if history and not signature.shared:
        raise RefusedError(
            422, "the model has no shared features, so there is nothing to make of a history; leave it out"
        )
    return _rows(given), history


def _rows(given: Any) -> list[Any]:
    if isinstance(given, Mapping) and isinstance(given.get("rows"), list) and len(given) == 1:
        given = given["rows"]
    elif isinstance(given, Mapping) and "rows" not in given:
        given = [given]
    if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
        raise RefusedError(422, 'expected {"rows": [{"column": value, ...}, ...]}')
    return given


def _table(
    rows: Sequence[Mapping[str, Any]] | None, signature: Signature, history: Sequence[Mapping[str, Any]] = ()
) -> pa.Table | None:
    """Of the history, and then of the rows."""
    if rows is None:
        return None
    if empty := [str(number) for number, row in enumerate(rows, start=1) if not row and signature.columns]:
        told = ", ".join(empty[:SHOWN])
        raise RefusedError(
            422, f"rows {told} are empty; give null for what is not known of {', '.join(signature.columns)}"
        )
    rows = [*history, *rows]
    given = {name for row in rows for name in row}
    left_out = signature.left_out(given)
    known = {name: [row.get(name) for row in rows] for name in signature.takes if name not in left_out}
    unknown = given - known.keys()
    return table_of(known | dict.fromkeys(unknown, ()), len(rows), signature)
