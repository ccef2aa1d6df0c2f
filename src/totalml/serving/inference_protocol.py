"""The Open Inference Protocol v2 over REST, with its extension for binary tensors: for clients that speak it already.

A version is the alias that is followed, or the start of the release's hash. Pictures are the input `picture`, BYTES;
every column of the signature is an input of its own. `id` is echoed; the prediction log has X-Request-ID.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, Request, Response
from pydantic import ValidationError

from totalml import __version__
from totalml.release.bundle import MODEL
from totalml.release.named import names
from totalml.serving.answering import Answering
from totalml.serving.body import RefusedError, read_body, read_json, read_length
from totalml.serving.exchange import Answered, Asked, Loaded
from totalml.serving.guard import ID, encoded
from totalml.serving.inference_forms import (
    InferenceAnswer,
    InferenceRequest,
    ModelMetadata,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from totalml.serving.limits import Limits
from totalml.serving.schema import BINARY, NO_TOKEN, REASONS, REF, Reason
from totalml.serving.tensors import as_bytes, input_tensors, output_tensors, read_tensors, written_values
from totalml.serving.way_in import Answer, WayIn, json_response

if TYPE_CHECKING:
    from totalml.release.signature import Signature

HEADER = "Inference-Header-Content-Length"  # bytes of the JSON, where tensors stand after it
EXTENSIONS = ["binary_tensor_data"]
SHOWN = 5  # mistakes of a request in a reason
_MODEL = "/v2/models/{name}"
_VERSION = f"{_MODEL}/versions/{{version}}"
_UNKNOWN: dict[int | str, dict[str, Any]] = {
    **NO_TOKEN,
    404: {"model": Reason, "description": "No such model or version"},
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": REF.format(model=InferenceRequest.__name__)}},
        "application/octet-stream": BINARY,
    },
}
_LENGTH = {"name": HEADER, "in": "header", "schema": {"type": "integer", "minimum": 0}, "description": "of the JSON"}


def add_inference_protocol(app: FastAPI, live: Answering, way_in: WayIn) -> None:
    @app.get("/v2", summary="What serves", response_model=ServerMetadata, responses=NO_TOKEN)
    async def server() -> Response:
        return json_response({"name": "totalml", "version": __version__, "extensions": EXTENSIONS})

    @app.get("/v2/health/live", summary="Whether the process lives", response_model=ServerLive)
    async def is_live() -> Response:
        return json_response({"live": True})

    @app.get("/v2/health/ready", summary="Whether it answers", response_model=ServerReady)
    async def is_ready() -> Response:
        return json_response({"ready": True})

    for path in (_MODEL, _VERSION):
        _add_model(app, path, live, way_in)


def _add_model(app: FastAPI, path: str, live: Answering, way_in: WayIn) -> None:
    """Of one version, or of the one that answers now."""
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("name", "version")
        if f"{{{name}}}" in path
    ]

    @app.get(
        path,
        summary="What a model takes and gives",
        response_model=ModelMetadata,
        responses=_UNKNOWN,
        openapi_extra={"parameters": parameters},
    )
    async def model(request: Request) -> Response:
        return json_response(_metadata(_asked_for(request, live) or live.now, live))

    @app.get(
        f"{path}/ready",
        summary="Whether a model answers",
        response_model=ModelReady,
        responses=_UNKNOWN,
        openapi_extra={"parameters": parameters},
    )
    async def is_ready(request: Request) -> Response:
        _asked_for(request, live)
        return json_response({"name": live.model, "ready": True})

    @app.post(
        f"{path}/infer",
        summary="What a model says of samples",
        response_model=InferenceAnswer,
        responses={200: {"content": {"application/octet-stream": BINARY}}, **_UNKNOWN, **REASONS},
        openapi_extra={"requestBody": _BODY, "parameters": [*parameters, _LENGTH]},
    )
    async def infer(request: Request) -> Response:
        wanted = _asked_for(request, live)

        async def read(request: Request, signature: Signature, limits: Limits) -> tuple[Asked, Answer]:
            body = await read_body(request, limits)
            given, binary = _split(body, request.headers.get(HEADER))
            count, pictures, rows = read_tensors(given.inputs, binary, signature, limits)
            ids = [f"sample {number}" for number in range(1, count + 1)]

            def answer(answered: Answered) -> Response:
                if wanted is not None and answered.loaded.release != wanted.release:
                    raise _no_version(wanted.release, live)  # meanwhile another one has taken its place
                return _answer(given, answered.loaded, answered)

            return Asked(request.scope[ID], ids, pictures, rows, release=wanted.release if wanted else ""), answer

        return await way_in.answer(request, read)


def _asked_for(request: Request, live: Answering) -> Loaded | None:
    """The release that the path names; None: whichever answers.

    Raises: RefusedError: it does not answer here.
    """
    name, version = request.path_params["name"], request.path_params.get("version")
    if name != live.model:
        raise RefusedError(404, f"there is no model {name!r}; {live.model!r} answers here")
    if version is None or version == live.alias:
        return None
    for loaded in live.answering:
        if names(version, loaded.release):
            return loaded
    raise _no_version(version, live)


def _no_version(version: str, live: Answering) -> RefusedError:
    return RefusedError(404, f"there is no version {version!r}; {' or '.join(_versions(live))} answers here")


def _versions(live: Answering) -> list[str]:
    return [*(loaded.release for loaded in live.answering), *([live.alias] if live.alias else [])]


def _metadata(loaded: Loaded, live: Answering) -> dict[str, Any]:
    tensors = {"inputs": input_tensors(loaded.scorer.signature), "outputs": output_tensors(loaded.scorer)}
    return {
        "name": live.model,
        "versions": _versions(live),
        "platform": "onnx_onnxv1" if MODEL in loaded.bundle else "pytorch_safetensors",
        **{
            part: [{"name": name, "datatype": datatype, "shape": [-1]} for name, datatype in some.items()]
            for part, some in tensors.items()
        },
    }


def _split(body: bytes, length: str | None) -> tuple[InferenceRequest, bytes]:
    """The JSON of a request, and the bytes after it.

    Raises: RefusedError: it is not as the protocol has it.
    """
    end = len(body)
    if length is not None:
        end = read_length(HEADER, length)
        if end > len(body):
            raise RefusedError(400, f"{HEADER} is {end}, but the request is {len(body)} bytes")
    try:
        return InferenceRequest.model_validate(read_json(body[:end])), body[end:]
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in error.errors()]
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise RefusedError(422, "; ".join([*wrong[:SHOWN], *more])) from None


def _answer(given: InferenceRequest, loaded: Loaded, answered: Answered) -> Response:
    """Raises: RefusedError: an output is asked for that there is not."""
    known = output_tensors(loaded.scorer)
    outputs, parts = [], []
    for name, binary in _wanted(given, list(known)).items():
        values = written_values(name, answered)
        output: dict[str, Any] = {"name": name, "datatype": known[name], "shape": [answered.count]}
        if binary:
            parts.append(as_bytes(values, known[name]))
            output["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            output["data"] = values
        outputs.append(output)
    echoed = {} if given.id is None else {"id": given.id}
    told = {"model_name": loaded.bundle.name, "model_version": loaded.release, **echoed, "outputs": outputs}
    if not parts:
        return json_response(told)
    head = encoded(told)
    return Response(b"".join([head, *parts]), 200, {HEADER: str(len(head))}, media_type="application/octet-stream")


def _wanted(given: InferenceRequest, known: list[str]) -> dict[str, bool]:
    """Name of an output -> whether it stands after the JSON.

    Raises: RefusedError: there is none of that name, or it is asked for twice.
    """
    usual = bool(given.parameters and given.parameters.binary_data_output)
    if not given.outputs:
        return dict.fromkeys(known, usual)
    wanted: dict[str, bool] = {}
    for output in given.outputs:
        if output.name not in known or output.name in wanted:
            which = "there twice" if output.name in wanted else "unknown"
            raise RefusedError(422, f"output {output.name!r} is {which}; there are: {', '.join(known)}")
        own = output.parameters.binary_data if output.parameters else None
        wanted[output.name] = usual if own is None else own
    return wanted
