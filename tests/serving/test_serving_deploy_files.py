"""What stands in deploy/ fits its schemas, asks routes that are there, and starts by a command that is understood."""

import argparse
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.serving.serving import serving
from totalml.release.export_oci import PORT, USER
from totalml.serving import serve

DEPLOY = Path(__file__).parents[2] / "deploy"


def documents(name: str) -> list[dict]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def containers(name: str) -> list[dict]:
    specs = (document["spec"] for document in documents(name))
    held = (spec.get("template", {}).get("spec", spec) for spec in specs)
    return [container for each in held for container in each.get("containers", ())]


def parsed(words: list[str]) -> argparse.Namespace:
    assert words[0].endswith("totalml")
    assert words[1] == "serve"
    parser = argparse.ArgumentParser(exit_on_error=False)
    serve.configure(parser)
    parser.add_argument("--store")
    return parser.parse_args(words[2:])


def test_the_manifests_fit_the_schemas_of_kubernetes():
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    for document in documents("kubernetes.yaml"):
        for version in ("1.27", "1.34"):
            kubernetes_validate.validate(document, version, strict=True)
    # KServe's own kinds have schemas of their own, but a container is a container.
    for container in containers("kserve.yaml"):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": [container]}}
        kubernetes_validate.validate(pod, "1.34", strict=True)


@pytest.mark.parametrize("name", ["kubernetes.yaml", "kserve.yaml"])
def test_a_container_runs_as_nobody_reads_its_token_from_a_secret_and_is_asked_where_it_answers(name, tmp_path):
    (container,) = containers(name)
    assert container["securityContext"]["readOnlyRootFilesystem"]
    assert not container["securityContext"]["allowPrivilegeEscalation"]
    assert "secretKeyRef" in {entry["name"]: entry for entry in container["env"]}["TOTALML_TOKEN"]["valueFrom"]
    probes = [probe["httpGet"] for key, probe in container.items() if key.endswith("Probe")]
    assert probes
    with serving(tmp_path, token="a long secret") as running:
        assert {running.client.get(probe["path"]).status_code for probe in probes} == {200}  # without the token
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {ports.get(probe["port"], probe["port"]) for probe in probes} == set(ports.values())


def test_the_manifest_fits_the_image_that_is_exported():
    (container,) = containers("kubernetes.yaml")
    assert container["ports"][0]["containerPort"] == PORT
    assert documents("kubernetes.yaml")[0]["spec"]["template"]["spec"]["securityContext"]["runAsUser"] == USER


def test_their_commands_are_understood():
    (container,) = containers("kserve.yaml")
    asked = parsed(container["command"])
    assert (asked.bundle, asked.port) == (Path("/mnt/models"), container["ports"][0]["containerPort"])
    line = next(line for line in (DEPLOY / "totalml.service").read_text().splitlines() if line.startswith("ExecStart="))
    assert parsed(shlex.split(line.removeprefix("ExecStart="))).what == "guinness@production"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="needs systemd-analyze")
def test_the_unit_is_one_of_systemd(tmp_path):
    unit = (DEPLOY / "totalml.service").read_text().replace("/srv/guinness/venv/bin/totalml", sys.executable)
    (tmp_path / "totalml.service").write_text(unit)
    told = subprocess.run(
        ["systemd-analyze", "verify", str(tmp_path / "totalml.service")], capture_output=True, text=True, check=False
    )
    assert (told.returncode, told.stderr) == (0, "")
