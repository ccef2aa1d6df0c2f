"""A released model is run without torch, and a file that is none of ours is refused before anything of it runs."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from totalml.errors import ModelError
from totalml.release.onnx_model import OnnxModel

WEIGHT = np.array([[1.0, -1.0], [0.5, 2.0]], np.float32)
FLOAT, UINT8 = TensorProto.FLOAT, TensorProto.UINT8
TABLE = helper.make_tensor_value_info("numeric", FLOAT, ["batch", 2])
IMAGE = helper.make_tensor_value_info("image", UINT8, ["batch", 2, 2, 3])
SCORES = helper.make_tensor_value_info("scores", FLOAT, ["batch", 2])
PRODUCT = helper.make_node("MatMul", ["numeric", "weight"], ["scores"])
HELD = numpy_helper.from_array(WEIGHT, "weight")


def file_of(nodes=(PRODUCT,), inputs=(TABLE,), outputs=(SCORES,), weights=(HELD,), domains=("",)) -> bytes:
    """`scores` = `numeric` @ WEIGHT, unless told otherwise."""
    graph = helper.make_graph([*nodes], "main_graph", [*inputs], [*outputs], [*weights])
    versions = [helper.make_opsetid(domain, 1 if domain.startswith("com") else 20) for domain in domains]
    return helper.make_model(graph, opset_imports=versions, ir_version=10).SerializeToString()


def of_both() -> bytes:
    """`scores` = `numeric` @ WEIGHT + the sum of all grey levels; `embedding` = `numeric`."""
    nodes = (
        helper.make_node("Cast", ["image"], ["levels"], to=FLOAT),
        helper.make_node("ReduceSum", ["levels", "axes"], ["total"], keepdims=0),
        helper.make_node("Unsqueeze", ["total", "last"], ["column"]),
        helper.make_node("MatMul", ["numeric", "weight"], ["product"]),
        helper.make_node("Add", ["product", "column"], ["scores"]),
        helper.make_node("Identity", ["numeric"], ["embedding"]),
    )
    embedding = helper.make_tensor_value_info("embedding", FLOAT, ["batch", 2])
    numbers = {"axes": [1, 2, 3], "last": [1]}
    held = [numpy_helper.from_array(np.array(values), name) for name, values in numbers.items()]
    return file_of(nodes, (IMAGE, TABLE), (SCORES, embedding), (HELD, *held))


def given(count: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(2)
    return {
        "image": rng.integers(0, 256, (count, 2, 2, 3), np.uint8),
        "numeric": rng.normal(size=(count, 2)).astype(np.float32),
    }


def told_by(data: bytes | Path) -> str:
    with pytest.raises(ModelError) as caught:
        OnnxModel.load(data)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 400
    return message


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_computes_what_the_file_says(count, threads, tmp_path):
    (tmp_path / "model.onnx").write_bytes(of_both())
    model, inputs = OnnxModel.load(tmp_path / "model.onnx", threads), given(count)
    answered = model.run(inputs)
    assert [*answered] == ["scores", "embedding"]
    total = inputs["image"].sum(axis=(1, 2, 3))[:, None]
    assert answered["scores"].dtype == np.float32
    assert np.allclose(answered["scores"], inputs["numeric"] @ WEIGHT + total)
    assert np.array_equal(answered["embedding"], inputs["numeric"])


def test_only_what_is_asked_for_is_given():
    assert [*OnnxModel.load(of_both()).run(given(), ["embedding"])] == ["embedding"]


def test_rows_that_lie_apart_in_memory_are_taken_as_they_are():
    model, wide = OnnxModel.load(of_both()), given(6)
    some = {name: values[::2] for name, values in wide.items()}
    assert np.array_equal(model.run(some)["scores"], model.run(wide)["scores"][::2])


def test_what_only_other_models_look_at_is_ignored():
    model = OnnxModel.load(of_both())
    more = given() | {"categorical": np.zeros((3, 0), np.int64)}
    assert np.array_equal(model.run(more)["scores"], model.run(given())["scores"])


def test_it_says_what_it_takes_and_gives():
    model = OnnxModel.load(of_both())
    assert {name: (port.shape, port.dtype) for name, port in model.inputs.items()} == {
        "image": ((None, 2, 2, 3), "uint8"),
        "numeric": ((None, 2), "float32"),
    }
    assert {name: str(port) for name, port in model.outputs.items()} == {
        "scores": "(B, 2) float32",
        "embedding": "(B, 2) float32",
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"image": None}, "the model also takes image; it takes image, numeric"),
        ({"words": np.zeros((3, 1))}, "the model takes no words; it takes image, numeric"),
        ({"numeric": np.zeros((3, 2))}, "takes numeric as (B, 2) float32, got (3, 2) float64"),
        ({"numeric": np.zeros((3, 1), np.float32)}, "takes numeric as (B, 2) float32, got (3, 1) float32"),
        ({"image": np.zeros((2, 2, 3), np.uint8)}, "takes image as (B, 2, 2, 3) uint8, got (2, 2, 3) uint8"),
        ({"image": [[1]]}, "takes image as (B, 2, 2, 3) uint8, got list"),
        ({"numeric": np.zeros((4, 2), np.float32)}, "a row for each sample, got 3 of image, 4 of numeric"),
    ],
)
def test_inputs_that_do_not_fit_are_named(change, told):
    inputs = {name: values for name, values in (given() | change).items() if values is not None}
    with pytest.raises(ModelError) as caught:
        OnnxModel.load(of_both()).run(inputs)
    assert told in str(caught.value)


def test_an_output_that_there_is_not_is_named():
    with pytest.raises(ModelError, match="the model gives no maps; it gives scores, embedding"):
        OnnxModel.load(of_both()).run(given(), ["scores", "maps"])


@pytest.mark.parametrize("length", [0, 1, 20, -1])
def test_a_file_that_is_cut_off_is_told(length):
    assert "Release the run again" in told_by(of_both()[:length])


@pytest.mark.parametrize("place", range(0, 480, 7))
def test_a_file_with_a_wrong_byte_is_a_model_or_is_told(place, capfd):
    data = bytearray(of_both())
    data[place % len(data)] ^= 0xFF
    try:
        OnnxModel.load(bytes(data))
    except ModelError as error:
        assert "Release the run again" in str(error)  # noqa: PT017  # either is right, and nothing else is
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("data", [b"nothing of the kind", b"\x00\x00\x00\x00ORTM" + bytes(64), b"\xff" * 40])
def test_a_file_of_another_kind_is_told(data):
    assert "Release the run again" in told_by(data)


def test_a_file_that_is_not_there_is_told(tmp_path):
    assert "No such file" in told_by(tmp_path / "model.onnx")


def elsewhere(name: str = "weight") -> TensorProto:
    tensor = TensorProto(name=name, data_type=FLOAT, dims=[2, 2], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="weights.bin")
    return tensor


def branching(weights: TensorProto) -> bytes:
    """The weights stand in a branch."""
    held = helper.make_graph([PRODUCT], "then", [], [SCORES], [weights])
    condition = numpy_helper.from_array(np.array(True), "yes")
    node = helper.make_node("If", ["yes"], ["scores"], then_branch=held, else_branch=held)
    return file_of((node,), weights=(condition,))


@pytest.mark.parametrize(
    "data",
    [
        file_of(weights=(elsewhere(),)),
        file_of((helper.make_node("Constant", [], ["weight"], value=elsewhere()), PRODUCT), weights=()),
        branching(elsewhere()),
    ],
    ids=["weight", "constant", "branch"],
)
def test_weights_in_another_file_are_not_read(data, tmp_path, monkeypatch):
    (tmp_path / "weights.bin").write_bytes(WEIGHT.tobytes())
    monkeypatch.chdir(tmp_path)
    assert "keeps weights in another file" in told_by(data)


def test_weights_in_a_branch_of_the_file_itself_are():
    inputs = {"numeric": given()["numeric"]}
    assert np.allclose(OnnxModel.load(branching(HELD)).run(inputs)["scores"], inputs["numeric"] @ WEIGHT)


def test_operators_that_are_not_onnxs_own_are_not_run():
    foreign = helper.make_node("Gelu", ["numeric"], ["scores"], domain="com.microsoft")
    assert "has operators of 'com.microsoft'" in told_by(file_of((foreign,), domains=("", "com.microsoft")))
    assert "has operators of 'com.microsoft'" in told_by(file_of((foreign,)))


def test_what_may_go_round_without_an_end_is_not_run():
    go_on = helper.make_tensor_value_info("go_on", TensorProto.BOOL, [])
    turn = helper.make_tensor_value_info("turn", TensorProto.INT64, [])
    still = helper.make_tensor_value_info("still", TensorProto.BOOL, [])
    again = helper.make_node("Identity", ["go_on"], ["still"])
    body = helper.make_graph([again], "body", [turn, go_on], [still])
    endless = helper.make_node("Loop", ["", ""], [], body=body)
    assert "has a Loop, which may never end" in told_by(file_of((PRODUCT, endless)))


@pytest.mark.parametrize(
    "inputs",
    [
        helper.make_tensor_value_info("x", FLOAT, ["batch", 2]),
        helper.make_tensor_value_info("numeric", FLOAT, [1, 2]),
        helper.make_tensor_value_info("numeric", TensorProto.DOUBLE, ["batch", 2]),
    ],
    ids=["name", "one sample", "type"],
)
def test_a_model_of_somebody_else_is_told(inputs):
    node = helper.make_node("Cast", [inputs.name], ["scores"], to=FLOAT)
    assert "no model of a release" in told_by(file_of((node,), (inputs,), weights=()))


def test_a_model_without_scores_is_told():
    node = helper.make_node("Identity", ["numeric"], ["other"])
    other = helper.make_tensor_value_info("other", FLOAT, ["batch", 2])
    assert "it takes numeric and gives other" in told_by(file_of((node,), outputs=(other,), weights=()))


def test_it_needs_neither_torch_nor_onnx_and_says_nothing(tmp_path):
    (tmp_path / "model.onnx").write_bytes(file_of())
    code = (
        "import sys; from pathlib import Path; import numpy as np; from totalml.release.onnx_model import OnnxModel;"
        "assert 'onnxruntime' not in sys.modules;"
        "OnnxModel.load(Path(sys.argv[1])).run({'numeric': np.zeros((1, 2), np.float32)});"
        "assert not {'torch', 'onnx', 'onnxscript', 'pydantic', 'pyarrow'} & {*sys.modules}"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_model_that_runs_leaves_no_mark_of_its_user(tmp_path):
    # Before it tells its maker of its use, onnxruntime draws an identifier and writes it below the home.
    (tmp_path / "model.onnx").write_bytes(file_of())
    (tmp_path / "home").mkdir()
    code = (
        "import sys; import numpy as np; from totalml.release.onnx_model import OnnxModel;"
        "OnnxModel.load(open(sys.argv[1], 'rb').read()).run({'numeric': np.ones((1, 2), np.float32)})"
    )
    # Where tests are run all the time, it says nothing anyway.
    kept = {name: value for name, value in os.environ.items() if name not in {"CI", "ORT_DISABLE_TELEMETRY"}}
    home = {"HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "home" / "cache")}
    command = [sys.executable, "-c", code, str(tmp_path / "model.onnx")]
    subprocess.run(command, env=kept | home, check=True)
    assert [*(tmp_path / "home").rglob("*")] == []
