"""A service in this process, asked by a real client; and releases to serve, made without any training."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from totalml.prediction_log.housekeeping import Housekeeping
from totalml.registry import Aliases, Promotion
from totalml.release.attribution import Region
from totalml.release.bundle import REFERENCE, REGION, Bundle, new_folder, save_bundle
from totalml.release.signature import Signature
from totalml.serving.address import Address, listen
from totalml.serving.app import create_app
from totalml.serving.feedback import Feedback
from totalml.serving.figures import Figures
from totalml.serving.followed import Followed
from totalml.serving.judging import Judging
from totalml.serving.limits import Limits
from totalml.serving.prediction_log import PredictionLog
from totalml.serving.server import config_of
from totalml.serving.service import Service
from totalml.serving.traces import Traces
from totalml.store import Store

SIZE = 8  # px
PICTURE = Signature(
    task="classification",
    targets=("dark", "light"),
    picture={"size": SIZE, "fit": "crop", "colour": "RGB"},
    max_megapixels=1.0,
    numeric=(),
    categorical={},
    made=(),
    answers={"predicted": "string", "confidence": "double", "p:dark": "double", "p:light": "double"},
    units={},
    decision={"positive": "light", "threshold": 0.75, "temperature": None},
)
TABLE = Signature(
    task="classification",
    targets=("dark", "light"),
    picture=None,
    max_megapixels=1.0,
    numeric=("age",),
    categorical={"pub": ("a", "b")},
    made=(),
    answers=PICTURE.answers,
    units={},
)
METRICS = {
    "task": "classification",
    "count": 1,
    "confidence": 0.95,
    "resamples": 0,
    "unit": "",
    "metrics": {},
    "slices": None,
    "fairness": None,
    "classes": ["dark", "light"],
    "positive": None,
    "per_class": {},
    "confusion": [],
    "calibration": [],
    "confidence_check": None,
}


def onnx_of(signature: Signature, share: float) -> bytes:
    """p(light) = share * mean of the picture / 255, or share * age, NaN as 0, where the pub is 'a'."""
    from onnx import TensorProto, helper

    if signature.picture:
        inputs = [helper.make_tensor_value_info("image", TensorProto.UINT8, ["B", SIZE, SIZE, 3])]
        nodes = [
            helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
            helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
            helper.make_node("Reshape", ["mean", "column"], ["light"]),
            helper.make_node("Mul", ["light", "share"], ["p"]),
        ]
        constants = [("axes", [1, 2, 3]), ("column", [-1, 1])]
        scale = share / 255
    else:
        inputs = [
            helper.make_tensor_value_info("numeric", TensorProto.FLOAT, ["B", 1]),
            helper.make_tensor_value_info("categorical", TensorProto.INT64, ["B", 1]),
        ]
        nodes = [
            helper.make_node("IsNaN", ["numeric"], ["missing"]),
            helper.make_node("Where", ["missing", "nothing", "numeric"], ["known"]),
            helper.make_node("Equal", ["categorical", "one"], ["first"]),
            helper.make_node("Where", ["first", "known", "nothing"], ["age"]),
            helper.make_node("Mul", ["age", "share"], ["p"]),
        ]
        constants, scale = [("one", [1])], share
    nodes += [
        helper.make_node("Sub", ["all", "p"], ["q"]),
        helper.make_node("Concat", ["q", "p"], ["scores"], axis=1),
        helper.make_node("Identity", ["p"], ["embedding"]),
    ]
    numbers = [("share", scale), ("all", 1.0), ("nothing", 0.0)]
    tensors = [helper.make_tensor(name, TensorProto.INT64, [len(values)], values) for name, values in constants]
    tensors += [helper.make_tensor(name, TensorProto.FLOAT, [], [value]) for name, value in numbers]
    outputs = [
        helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", 2]),
        helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["B", 1]),
    ]
    graph = helper.make_graph(nodes, "model", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return model.SerializeToString()


def with_maps(given: bytes) -> bytes:
    """A model of `onnx_of` for pictures; it looks for `light` where they are bright, and for `dark` at the inverse."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(given)
    model.graph.node.extend(
        [
            helper.make_node("Transpose", ["pixels"], ["first"], perm=[0, 3, 1, 2]),
            helper.make_node("ReduceMean", ["first", "colours"], ["grey"], keepdims=1),
            helper.make_node("AveragePool", ["grey"], ["bright"], kernel_shape=[2, 2], strides=[2, 2]),
            helper.make_node("Neg", ["bright"], ["not_bright"]),
            helper.make_node("Concat", ["not_bright", "bright"], ["maps"], axis=1),
        ]
    )
    model.graph.initializer.append(helper.make_tensor("colours", TensorProto.INT64, [1], [1]))
    shape = ["B", 2, SIZE // 2, SIZE // 2]
    model.graph.output.append(helper.make_tensor_value_info("maps", TensorProto.FLOAT, shape))
    return model.SerializeToString()


_ANY = {name: METRICS[name] for name in ("count", "confidence", "resamples", "unit", "metrics", "slices", "fairness")}
_FIGURES = {"support": 1, "threshold": 0.5, "figures": {}}
# Of the same scores: two numbers, each with an interval of 0.2; or two labels, each said from 0.5 on.
NUMBERS_METRICS = _ANY | {
    "task": "regression",
    "targets": ["dark", "light"],
    "units": {},
    "per_target": {"dark": {}, "light": {}},
    "always": {"dark": 0.5, "light": 0.5},
    "always_mae": 0.1,
    "deviation": {"dark": 1.0, "light": 1.0},
    "promised": 0.9,
    "widening": {"dark": 0.1, "light": 0.1},
    "thirds": {"dark": [], "light": []},
}
LABELS_METRICS = _ANY | {
    "task": "multilabel",
    "labels": ["dark", "light"],
    "per_label": {"dark": _FIGURES, "light": _FIGURES},
    "co_occurrence": [],
    "taken_for": [],
    "calibration": [],
}
NUMBERS = replace(
    PICTURE,
    task="regression",
    answers={f"{part}:{name}": "double" for part in ("value", "lower", "upper") for name in PICTURE.targets},
    decision={},
)
LABELS = replace(
    PICTURE,
    task="multilabel",
    answers={"predicted": "list<item: string>", "p:dark": "double", "p:light": "double"},
    decision={},
)
METRICS_OF = {"classification": METRICS, "regression": NUMBERS_METRICS, "multilabel": LABELS_METRICS}


def release(
    store: Store,
    share: float = 1.0,
    signature: Signature = PICTURE,
    model: bytes | None = None,
    reference: bytes | None = None,
    plan: bytes | None = None,
    region: Region | None = None,
) -> Bundle:
    """A release whose answers tell by which it was made.

    Args: reference: rows as Parquet, plan: as JSON, region: where it ought to look; None: it has none.
    """
    with new_folder(store) as folder:
        if reference is not None:
            (folder / REFERENCE).parent.mkdir()
            (folder / REFERENCE).write_bytes(reference)
        if plan is not None:
            (folder / "plan.json").write_bytes(plan)
        if region is not None:
            (folder / REGION).write_bytes(region.as_json())
        (folder / "model.onnx").write_bytes(model if model is not None else onnx_of(signature, share))
        (folder / "signature.json").write_text(json.dumps(signature.as_json()))
        (folder / "metrics.json").write_text(json.dumps(METRICS_OF[signature.task]))
        facts = {"name": "pints", "run_id": f"{int(share * 1e6):08x}-00000000", "attempt": 1}
        return save_bundle(folder, facts, store)


def promote(store: Store, bundle: Bundle, alias: str = "production") -> None:
    facts = bundle.facts
    when = "2026-11-27T00:00:00+00:00"
    named = Promotion(when, alias, facts["run_id"], facts["attempt"], "", "eve", release=bundle.hash)
    Aliases(store, "pints").move(lambda _: named)


def picture(grey: int = 255, size: int = SIZE, kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.fromarray(np.full((size, size, 3), grey, np.uint8)).save(out, kind)
    return out.getvalue()


class Running:
    """A service and a client of it."""

    def __init__(self, service: Service, client: httpx.Client, port: int) -> None:
        self.service, self.client, self.port = service, client, port

    def ask(self, data: bytes, kind: str = "image/png", **more: Any) -> httpx.Response:
        return self.client.post(
            "/predict", content=data, headers={"Content-Type": kind, **more.pop("headers", {})}, **more
        )

    def rows(self, *rows: Any) -> httpx.Response:
        return self.client.post("/predict", json={"rows": list(rows)})


@contextmanager
def serving(
    folder: Path,
    bundle: Bundle | None = None,
    limits: Limits | None = None,
    token: str = "",
    logs: bool = False,
    alias: str | None = "production",
    deployment: str | None = None,
    pictures: float = 0.0,
    maps: float = 0.0,
    housekeeping: Housekeeping | None = None,
    traces: Traces | None = None,
) -> Iterator[Running]:
    """On a port of its own, in a thread of this process.

    Args: deployment: its name, where one is followed that was deployed.
    """
    store = Store(folder)
    bundle = bundle or release(store)
    if alias is not None and Aliases(store, "pints").standing(alias) is None:
        promote(store, bundle, alias)
    if deployment is None:
        followed = Followed("pints", "pints", "alias" if alias else "release", alias or bundle.hash)
    else:
        followed = Followed(deployment, "pints", "deployment", deployment)
    live = followed.live(store, 1, lambda _: None)
    log, feedback = (PredictionLog(store, "pints", pictures, maps), Feedback(store, "pints")) if logs else (None, None)
    judging = Judging(live, store, deployment, print) if deployment else None
    service = Service(live, limits or Limits(), token, log, Figures(), feedback, housekeeping, judging, traces=traces)
    with running(service) as asked:
        yield asked


@contextmanager
def running(service: Service) -> Iterator[Running]:
    """On a port of its own, in a thread of this process."""
    import uvicorn

    bound = listen(Address("127.0.0.1", 0, 1))
    server, port = uvicorn.Server(config_of(create_app(service))), bound.getsockname()[1]
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the service ended before it had started"
    try:
        # Nothing to verify on http: reading the certificates of all authorities would take 18 ms for each client.
        with httpx.Client(verify=False, base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            yield Running(service, client, port)
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()
