"""A release taken elsewhere answers as it does here: as it is, in MLflow, and as the container would run it."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import httpx
import numpy as np
import pytest
import yaml

from tests.serving.serving import PICTURE, SIZE, TABLE, picture, promote, release
from totalml.cli import main
from totalml.release.bundle import Bundle, new_folder, read_bundle, save_bundle
from totalml.release.export_packages import ours
from totalml.release.mlflow_model import _load_pyfunc
from totalml.release.onnx_model import OnnxModel
from totalml.release.signature import Signature
from totalml.store import Store

# Importing any of them fails, and so does writing a file.
WITHOUT_TORCH_OR_DISK = """
import os, sys

for name in ("torch", "torchvision", "lightning", "wandb", "captum", "torchmetrics", "hydra", "onnx"):
    sys.modules[name] = None


def read_only(event, told):
    writes = event == "open" and told[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and told[0] != os.devnull
    if writes or event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir"):
        raise OSError(30, "Read-only file system", told[0])


sys.addaudithook(read_only)
from totalml.cli import main

sys.exit(main())
"""


class Project:
    """A store with a release in production, and a folder for exports."""

    def __init__(self, folder: Path) -> None:
        for part in ("conf", "recipes"):
            (folder / part).mkdir()
        self.store, self.out = Store(folder / ".totalml"), folder / "out"

    def produce(self, signature: Signature = PICTURE) -> Bundle:
        bundle = release(self.store, 0.5, signature)
        promote(self.store, bundle)
        return bundle

    def export(self, form: str, folder: Path | None = None, what: str = "pints@production") -> int:
        return main(["export", what, "--to", form, str(folder or self.out)])


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return Project(tmp_path)


def test_as_onnx_it_is_the_same_release_and_says_what_it_takes(project, capsys):
    bundle = project.produce(TABLE)
    assert project.export("onnx") == 0
    copy = read_bundle(project.out)
    copy.verify()
    assert copy.hash == bundle.hash
    assert {path.name for path in project.out.iterdir()} == {"manifest.json", *bundle.files}
    told = capsys.readouterr().out
    assert "numeric: float32 (N, 1), NaN where missing: age" in told
    assert "categorical: int64 (N, 1), 1 + place in signature.json, else 0: pub" in told
    model = OnnxModel.load(project.out / "model.onnx")
    said = model.run({"numeric": np.float32([[0.5]]), "categorical": np.int64([[1]])}, ["scores"])["scores"]
    np.testing.assert_allclose(said, [[0.75, 0.25]])


def test_what_a_model_of_pictures_takes_is_told(project, capsys):
    project.produce()
    assert project.export("onnx") == 0
    assert f"image: uint8 (N, {SIZE}, {SIZE}, 3), RGB, fit: crop" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["onnx", "mlflow", "oci"])
def test_the_same_release_is_exported_to_the_same_bytes(project, form):
    project.produce()
    assert project.export(form) == project.export(form, project.out.with_name("again")) == 0
    assert contents(project.out) == contents(project.out.with_name("again"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_that_holds_something_is_left_alone(project, capsys):
    project.produce()
    project.out.mkdir()
    assert project.export("onnx") == 0  # it was empty
    before = contents(project.out)
    assert project.export("oci") == 2
    assert f"{project.out} is no empty folder" in capsys.readouterr().err
    assert contents(project.out) == before
    file = project.out / "model.onnx"
    assert project.export("oci", file) == 2
    assert f"{file} is no empty folder" in capsys.readouterr().err
    assert project.export("oci", file / "below") == 2
    assert f"{file / 'below'} cannot be written" in capsys.readouterr().err


def test_what_is_damaged_or_fails_leaves_nothing(project, capsys, monkeypatch):
    from totalml.release import export_oci

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    bundle = project.produce()
    with monkeypatch.context() as patch:
        patch.setattr(export_oci, "copy_bundle", full)
        assert project.export("oci") == 2
    assert "cannot be written: No space left on device" in capsys.readouterr().err
    (bundle.folder / "model.onnx").write_bytes(b"another")
    assert project.export("oci") == 5
    assert "is not what was released" in capsys.readouterr().err
    assert {path.name for path in project.out.parent.iterdir()} == {"conf", "recipes", ".totalml"}


def test_a_model_that_torch_runs_is_not_exported(project, capsys):
    with new_folder(project.store) as folder:
        (folder / "model.safetensors").write_bytes(b"weights")
        promote(project.store, save_bundle(folder, {"name": "pints", "run_id": "a-b", "attempt": 1}, project.store))
    assert project.export("oci") == 2
    assert "registry.format=onnx" in capsys.readouterr().err
    assert not project.out.exists()


def test_a_manifest_adds_no_instruction_to_a_container(project, capsys):
    bundle = project.produce()
    with new_folder(project.store) as folder:
        for name in bundle.files:
            (folder / name).write_bytes(bundle.read(name))
        facts = {**bundle.facts, "name": "pints\nRUN rm -rf /"}
        promote(project.store, save_bundle(folder, facts, project.store))
    assert project.export("oci") == 2
    assert "is no model's name" in capsys.readouterr().err


# MLflow


def test_an_mlflow_model_names_what_it_needs_takes_and_answers(project, capsys):
    bundle = project.produce(TABLE)
    assert project.export("mlflow") == 0
    assert "pub: string" in capsys.readouterr().out
    assert read_bundle(project.out / "release").hash == bundle.hash
    told = yaml.safe_load((project.out / "MLmodel").read_text())
    flavor = told["flavors"]["python_function"]
    assert (flavor["loader_module"], flavor["data"]) == ("totalml.release.mlflow_model", "release")
    assert told["metadata"]["release"] == bundle.hash
    kinds = {column["name"]: column["type"] for column in json.loads(told["signature"]["inputs"])}
    assert kinds == {"age": "double", "pub": "string"}
    assert [column["name"] for column in json.loads(told["signature"]["outputs"])] == [*TABLE.answers]
    needed = (project.out / "requirements.txt").read_text().split()
    assert needed == [ours(), "mlflow>=3,<4"]
    assert yaml.safe_load((project.out / "conda.yaml").read_text())["dependencies"][-1] == {"pip": needed}
    assert yaml.safe_load((project.out / "python_env.yaml").read_text())["dependencies"] == ["-r requirements.txt"]


def test_the_answers_of_lists_are_told_as_arrays():
    from totalml.release.export_mlflow import _type

    assert _type("list<item: string>") == {"type": "array", "items": {"type": "string"}}


def test_rows_of_a_frame_are_answered_under_its_index(project):
    pd = pytest.importorskip("pandas")
    project.produce(TABLE)
    project.export("mlflow")
    model = _load_pyfunc(str(project.out / "release"))
    frame = pd.DataFrame({"pub": ["a", "z", None], "age": [1, 1, 1], "more": 0}, index=["x", "y", "z"])
    answers = model.predict(frame)
    assert [*answers.columns] == [*TABLE.answers]
    assert [*answers.index] == ["x", "y", "z"]
    assert [*answers["p:light"]] == [0.5, 0.0, 0.0]
    many = model.predict(pd.DataFrame({"pub": "a", "age": np.arange(600) / 1000}))
    np.testing.assert_allclose(many["p:light"], np.arange(600) / 2000, atol=1e-6)
    assert len(model.predict(frame[:0])) == 0
    with pytest.raises(Exception, match="names the column 'age', which the metadata does not have"):
        model.predict(frame[["pub"]])


def test_pictures_are_bytes_base64_or_a_path_and_no_text_is_a_path(project):
    pd = pytest.importorskip("pandas")
    project.produce()
    project.export("mlflow")
    model = _load_pyfunc(str(project.out / "release"))
    file = project.out.parent / "pint.png"
    file.write_bytes(picture(204))
    given = [picture(204), base64.b64encode(picture(204)).decode(), base64.encodebytes(picture(204)).decode(), file]
    answers = model.predict(pd.DataFrame({"picture": given}))
    np.testing.assert_allclose(answers["p:light"], 0.4, atol=1e-6)
    for wrong, told in (
        (str(file), "is no base64"),
        (4, "is int; give bytes"),
        (b"no picture", "1 picture of 1 cannot be used"),
    ):
        with pytest.raises(Exception, match=told):
            model.predict(pd.DataFrame({"picture": [wrong]}))
    with pytest.raises(Exception, match="the model sees pictures; give them in a column 'picture'"):
        model.predict(pd.DataFrame({"pictures": given}))


# In a process of its own, without torch; it prints the answers of MLflow and of MLflow's server, of each folder.
ASKS_MLFLOW = """
import base64, json, sys
for name in ("torch", "torchvision", "lightning", "onnx"):
    sys.modules[name] = None
import pandas as pd
import mlflow.pyfunc
from mlflow.pyfunc.scoring_server import init
from fastapi.testclient import TestClient

*folders, file = sys.argv[1:]
data = open(file, "rb").read()
rows = [{"age": 0.5, "pub": "a"}, {"age": None, "pub": "a"}]
given = [
    (pd.DataFrame({"picture": [data]}), [{"picture": base64.b64encode(data).decode()}]),
    (pd.DataFrame(rows), rows),
]
for folder, (frame, sent) in zip(folders, given, strict=True):
    model = mlflow.pyfunc.load_model(folder)
    answered = TestClient(init(model)).post("/invocations", json={"dataframe_records": sent})
    print(json.dumps([model.predict(frame).to_dict("records"), answered.json()["predictions"]]))
"""


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mlflow") is None, reason="mlflow-skinny is not installed")
def test_mlflow_loads_and_serves_it(project):
    file, folders, hashes = project.out.parent / "pint.png", [], []
    file.write_bytes(picture(204))
    for name, signature in (("picture", PICTURE), ("table", TABLE)):
        hashes.append(project.produce(signature).hash)
        folders.append(project.out.with_name(name))
        project.export("mlflow", folders[-1])
    env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [sys.executable, "-c", ASKS_MLFLOW, *map(str, folders), str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()[-2:]]
    for (loaded, served), signature, light in zip(answers, (PICTURE, TABLE), ([0.4], [0.25, 0.0]), strict=True):
        assert [row["p:light"] for row in loaded] == pytest.approx(light, abs=1e-6)
        assert served == loaded
        assert [*loaded[0]] == [*signature.answers]
    assert [read_bundle(folder / "release").hash for folder in folders] == hashes


# Containers


def instructions(folder: Path) -> list[tuple[str, str]]:
    """Of the Containerfile, in order."""
    text = (folder / "Containerfile").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


def test_a_containerfile_installs_what_serves_and_runs_as_nobody(project, capsys):
    bundle = project.produce()
    assert project.export("oci") == 0
    assert "--read-only" in capsys.readouterr().out
    assert read_bundle(project.out / "release").hash == bundle.hash
    assert {path.name for path in project.out.iterdir()} == {"Containerfile", ".dockerignore", "release"}
    assert (project.out / ".dockerignore").read_text().split() == ["*", "!release"]
    found = instructions(project.out)
    held = dict(found)
    minor = f"3.{sys.version_info.minor}"
    assert held["FROM"] == f"python:{minor}-slim"
    assert [text for name, text in found if name == "RUN"] == [f'python -m pip install --no-cache-dir "{ours()}"']
    assert held["COPY"].split()[1:] == ["release", "/release"]
    assert int(held["USER"].split(":")[0]) > 0
    assert held["EXPOSE"] == "8000"
    names = [name for name, _ in found]
    assert names.index("COPY") > names.index("RUN")  # another release needs no new installation
    assert names.index("USER") > names.index("RUN")
    assert "TOTALML_TOKEN" not in str(found)  # no secret stands in an image


def test_what_is_installed_is_bounded_by_the_next_version_that_may_differ(monkeypatch):
    from totalml.release import export_packages

    for version, bounds in (("0.1.0", ">=0.1.0,<0.2"), ("0.12.3", ">=0.12.3,<0.13"), ("2.1.0", ">=2.1.0,<3")):
        monkeypatch.setattr(export_packages, "__version__", version)
        assert ours() == f"totalml[serve]{bounds}"


@contextmanager
def run_as_container(folder: Path, **env: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Its CMD, from a folder that is no project; /release is the folder it was copied from, the port any."""
    words = json.loads(dict(instructions(folder))["CMD"])
    assert words[0] == "totalml"
    assert words[-2:] == ["--port", "8000"]
    words = [str(folder / "release") if word == "/release" else word for word in words[1:-1]]
    command = [sys.executable, "-c", WITHOUT_TORCH_OR_DISK, *words, "0"]
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    env = {"HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"], **env}
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[2] / "src"), os.environ.get("PYTHONPATH")]))
    started = subprocess.Popen(
        command, cwd=elsewhere, stderr=subprocess.PIPE, text=True, env={**env, "PYTHONPATH": path}
    )
    try:
        yield started, words
    finally:
        started.kill()
        started.wait()
        started.stderr.close()
    assert not any(elsewhere.iterdir())


def test_its_command_answers_from_a_read_only_disk_without_torch(project):
    bundle = project.produce()
    project.export("oci")
    before = contents(project.out)
    with run_as_container(project.out, TOTALML_TOKEN="secret") as (started, words):
        assert words[words.index("--host") + 1] == "0.0.0.0"
        line = started.stderr.readline()
        found = re.search(r"on http://0.0.0.0:(\d+)", line)
        assert found, line + started.stderr.read()
        said: list[str] = []
        reader = threading.Thread(target=lambda: said.extend(started.stderr))
        reader.start()
        headers = {"Authorization": "Bearer secret"}
        with httpx.Client(verify=False, base_url=f"http://127.0.0.1:{found[1]}", timeout=30, headers=headers) as client:
            health = dict(instructions(project.out))["HEALTHCHECK"]
            asks = json.loads(health[health.index("CMD") + 3 :])
            assert asks[0] == "python"
            probe = [sys.executable, *(word.replace(":8000/", f":{found[1]}/") for word in asks[1:])]
            assert subprocess.run(probe, timeout=30, check=False).returncode == 0, shlex.join(probe)
            answer = client.post("/predict", content=picture(), headers={"Content-Type": "image/png"}).json()
            assert answer["release"] == bundle.hash
            assert answer["predictions"][0]["p:light"] == pytest.approx(0.5, abs=1e-6)
            large = picture(size=900, kind="BMP")  # more than a form keeps in memory of itself
            assert len(large) > 2**21
            assert client.post("/predict", files={"picture": ("pint.bmp", large)}).status_code == 200
            assert client.get("/version").json()["follows"] is None
            ready = {"ready": True, "release": bundle.hash, "failed": None, "challenger": None}
            assert client.get("/readyz").json() == ready
            assert client.get("/version", headers={"Authorization": ""}).status_code == 401
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
        reader.join()
        assert said == []
    assert contents(project.out) == before


def test_its_command_wants_a_token(project):
    project.produce()
    project.export("oci")
    with run_as_container(project.out) as (started, _):
        assert "set TOTALML_TOKEN to a long secret" in started.stderr.read()
        assert started.wait(20) == 2
