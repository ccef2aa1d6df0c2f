"""The command on releases that were made without training, in this process or in one that can be killed."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.serving.serving import PICTURE, SIZE, TABLE, promote, release
from totalml.cli import main
from totalml.release.bundle import Bundle
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]
BOTH = replace(TABLE, picture=PICTURE.picture)


def released(store: Path, signature=PICTURE, share: float = 1.0) -> Bundle:
    opened = Store(store)
    bundle = _of_both(opened) if signature is BOTH else release(opened, share, signature)
    promote(opened, bundle)
    return bundle


def predict(store: Path, what: object, out: Path, *more: str) -> int:
    return main(["predict", "pints@production", str(what), f"--out={out}", f"--store={store}", *more])


def photos(folder: Path, count: int, first: int = 0) -> Path:
    """Small pictures, each of a colour of its own, in folders of ten."""
    for number in range(first, first + count):
        file = folder / f"{number // 10:02}" / f"{number:03}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.full((SIZE, SIZE, 3), (number * 7 % 256, number % 256, 255 - number % 256), np.uint8)
        Image.fromarray(pixels).save(file)
    return folder


def read(out: Path) -> pa.Table:
    return pq.read_table(out)


# Importing any of them fails; a chunk is small and takes its time, so that a kill finds work under way.
SLOW = """
import sys, time
for name in ('torch', 'torchvision', 'lightning', 'wandb', 'captum', 'torchmetrics', 'hydra', 'onnx'):
    sys.modules[name] = None
from totalml.cli import main
from totalml.prediction import inputs, parts, rows
inputs.CHUNK = rows.CHUNK = rows.ROWS = 4
parts.TOGETHER = 3
save, seconds = parts.Parts.save, float(sys.argv.pop())
parts.Parts.save = lambda *given: (time.sleep(seconds), save(*given))
sys.exit(main(sys.argv[1:]))
"""


def started(store: Path, what: object, out: Path, seconds: float, *more: str) -> subprocess.Popen[str]:
    words = ["predict", "pints@production", str(what), f"--out={out}", f"--store={store}", *more, str(seconds)]
    return subprocess.Popen([sys.executable, "-c", SLOW, *words], cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)


def _of_both(store: Store) -> Bundle:
    """p(light) = (mean of the picture + age + code of the pub) / 1000."""
    from onnx import TensorProto, helper

    inputs = [
        helper.make_tensor_value_info("image", TensorProto.UINT8, ["B", SIZE, SIZE, 3]),
        helper.make_tensor_value_info("numeric", TensorProto.FLOAT, ["B", 1]),
        helper.make_tensor_value_info("categorical", TensorProto.INT64, ["B", 1]),
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels", "axes"], ["mean"], keepdims=0),
        helper.make_node("Reshape", ["mean", "column"], ["grey"]),
        helper.make_node("Cast", ["categorical"], ["code"], to=TensorProto.FLOAT),
        helper.make_node("IsNaN", ["numeric"], ["missing"]),
        helper.make_node("Where", ["missing", "zero", "numeric"], ["age"]),
        helper.make_node("Add", ["grey", "age"], ["some"]),
        helper.make_node("Add", ["some", "code"], ["sum"]),
        helper.make_node("Mul", ["sum", "share"], ["p"]),
        helper.make_node("Sub", ["one", "p"], ["q"]),
        helper.make_node("Concat", ["q", "p"], ["scores"], axis=1),
    ]
    tensors = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("column", TensorProto.INT64, [2], [-1, 1]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("one", TensorProto.FLOAT, [], [1.0]),
        helper.make_tensor("share", TensorProto.FLOAT, [], [1e-3]),
    ]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["B", 2])]
    graph = helper.make_graph(nodes, "model", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    return release(store, 1.0, BOTH, model.SerializeToString())
