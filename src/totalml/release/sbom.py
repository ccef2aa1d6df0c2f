"""What a model was made with, as a bill of materials in CycloneDX's words: packages, data, code and the model itself.

Without a time and with a serial number made of its content, so that the same release has the same bytes.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from typing import Any

from totalml.identity import PREFIX, canonical, digest

SPECIFICATION = "1.6"
_EXPRESSION = re.compile(r"[\w.+-]+( (AND|OR|WITH) [\w.+-]+)*")


def bill_of_materials(facts: Mapping[str, Any], files: Mapping[str, str], license_: str | None) -> dict[str, Any]:
    """Args:
    facts: of `run.json`.
    files: name -> digest of the files of the model.
    license_: of the model, as its card says.
    """
    model = {
        "type": "machine-learning-model",
        "bom-ref": "model",
        "name": facts["name"],
        "version": f"{facts['run_id']}/{facts['attempt']}",
        "licenses": [{"license": {"name": license_}}] if license_ else [],
    }
    data = {"type": "data", "bom-ref": "data", "name": "snapshot", "version": facts["data_hash"]}
    code = {"type": "application", "bom-ref": "code", "name": "code", "version": facts["code"]["digest"]}
    parts = [_file(name, found) for name, found in sorted(files.items())]
    packages = [_package(*each) for each in sorted(facts["environment"]["packages"].items())]
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": SPECIFICATION,
        "version": 1,
        "metadata": {"component": model},
        "components": [data, code, *parts, *packages],
        "dependencies": [{"ref": "model", "dependsOn": [each["bom-ref"] for each in (data, code, *parts, *packages)]}],
    }
    serial = uuid.UUID(digest("bill of materials v1", canonical(bill)).removeprefix(PREFIX)[:32], version=4)
    return {**bill, "serialNumber": f"urn:uuid:{serial}"}


def _file(name: str, found: str) -> dict[str, Any]:
    hashes = [{"alg": "BLAKE3", "content": found.removeprefix(PREFIX)}]
    return {"type": "file", "bom-ref": f"file:{name}", "name": name, "hashes": hashes}


def _package(name: str, version: str) -> dict[str, Any]:
    place = f"pkg:pypi/{re.sub(r'[-_.]+', '-', name).lower()}@{version}"
    found = {"type": "library", "bom-ref": place, "name": name, "version": version, "purl": place}
    if licenses := _licenses(name, version):
        found["licenses"] = [*licenses]  # type: ignore[assignment]
    return found


@cache
def _licenses(name: str, version: str) -> tuple[dict[str, Any], ...]:
    """Only of the very version that the run was made with, as its distribution says."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ()
    if about["Version"] != version:
        return ()
    expression = next(iter(about.get_all("License-Expression") or ()), None)
    if expression and _EXPRESSION.fullmatch(expression):
        return ({"expression": expression},)
    licenses = [each for each in about.get_all("Classifier") or () if each.startswith("License :: ")]
    return tuple({"license": {"name": each.rpartition(" :: ")[2]}} for each in licenses)
