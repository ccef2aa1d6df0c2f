"""What a run was made with besides its recipe and data: code, environment and execution, each with a digest."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from totalml.component import Component, Section, components, plain
from totalml.identity import canonical, digest, digest_if_there, tree_digest
from totalml.kinds import SharedFeature
from totalml.machine import gpu_information
from totalml.own_code import HOME, OURS, own_sources, python_files, sources_of

if TYPE_CHECKING:
    from totalml.recipe import Recipe, RuntimeRecipe

CODE = "code v1"  # the domain of the digests
MOVES_NUMBERS = (
    "captum",
    "holidays",
    "lightning",
    "numpy",
    "pillow",
    "pyarrow",
    "torch",
    "torchmetrics",
    "torchvision",
)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
GPU_VARIABLE = "CUDA_VISIBLE_DEVICES"
GIT_TIMEOUT_S = 10
_SEEN: dict[str, str] = {}  # package -> digest


def code(recipe: Recipe) -> dict[str, Any]:
    """Digests over the source files of totalml and of the recipe's own code, as this process first saw them.

    A process that lives on executes what it has imported, whatever is written to the files meanwhile.
    """
    sources = _first_seen(code_on_disk(recipe))
    return {"digest": code_digest(sources), "sources": sources}


def code_of(component: Component, rooms: Sequence[str]) -> dict[str, str]:
    """Digests of the sources behind one component, as this process first saw them.

    Args:
        rooms: of totalml, e.g. `model`; its other rooms do not count.
    """
    ours = {f"{OURS}.{room}": python_files(HOME / room) for room in rooms}
    sources = {**ours, **own_sources(plain(component, where=True))}
    return _first_seen({name: _digest_of(tuple(files.items())) for name, files in sources.items()})


def feature_id(feature: SharedFeature) -> str:
    """The digest that names a shared feature: of its definition, and of own code of recipes behind it.

    Code of totalml does not count, so that a pin holds when totalml is brought up to date.
    """
    named = {"definition": plain(feature, where=False), "code": code_of(feature, ())}
    return digest("shared feature v1", canonical(named))


def _first_seen(sources: Mapping[str, str]) -> dict[str, str]:
    return {name: _SEEN.setdefault(name, found) for name, found in sources.items()}


def code_on_disk(recipe: Recipe) -> dict[str, str]:
    """Package -> digest of its source files as they lie there now."""
    sources = sources_of(plain(recipe, where=True))
    return {name: _digest_of(tuple(files.items())) for name, files in sources.items()}


@lru_cache(maxsize=64)  # the same files are asked for the data, each stage and the end of a run
def _digest_of(files: tuple[tuple[str, bytes], ...]) -> str:
    return tree_digest(CODE, dict(files))


def code_digest(sources: Mapping[str, str]) -> str:
    """Args:
    sources: package -> digest of its folder.
    """
    return digest(CODE, canonical(dict(sources)))


def files(recipe: Recipe) -> dict[str, Any]:
    """Digests of what components read besides the data: files, None for one that is not there, and shared features'
    own sources.
    """
    sources = {f"features.shared {each.name}": each.snapshot for each in recipe.features.shared if each.feature.source}
    found = files_of(recipe) | sources
    return {"digest": digest("files v1", canonical(found)), "files": found}


def files_of(section: Section) -> dict[str, str | None]:
    """Path -> digest of the files that the components of a section read; None for one that is not there."""
    return {str(path): digest_if_there(path) for component in components(section) for path in component.files()}


def edited(recipe: Recipe, made_with: Mapping[str, Any]) -> str | None:
    """What on disk is no longer what a run was made with; None if all is.

    Args:
        made_with: `code` and `files` as this process saw them.
    """
    if code_on_disk(recipe) != made_with["code"]["sources"]:
        return "source code"
    return None if files(recipe)["digest"] == made_with["files"]["digest"] else "a file that a component reads"


def environment() -> dict[str, Any]:
    """Python, platform and every installed distribution; only those that move numbers count for the digest."""
    packages = _distributions()
    facts = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    counted = {**facts, "packages": moving(packages)}
    return {"digest": digest("environment v1", canonical(counted)), **facts, "packages": packages}


def moving(packages: dict[str, str]) -> dict[str, str | None]:
    """The versions that can move the last digits of a result."""
    return {name: packages.get(name) for name in MOVES_NUMBERS}


def execution(runtime: RuntimeRecipe) -> dict[str, Any]:
    """How the computing is asked for and what there is to do it with; found without importing torch."""
    facts = {
        "device": runtime.device,
        "gpus": [] if runtime.device == "cpu" else _gpus(),
        "precision": runtime.precision,
        "compile": runtime.compile,
        "threads": runtime.threads or _threads(),
        "strategy": runtime.strategy,
        "devices": runtime.devices,
        "nodes": runtime.nodes,
    }
    return {"digest": digest("execution v2", canonical(facts)), **facts}


def git() -> dict[str, Any] | None:
    """For information: the commit, and a digest of what tracked files differ by; None outside a git checkout."""
    import subprocess

    try:
        commit = _git_says(HOME, "rev-parse", "HEAD").strip()
        changes = _git_says(HOME, "diff", "HEAD")
    except (OSError, UnicodeDecodeError, subprocess.SubprocessError):
        return None
    return {"commit": commit, "dirty": bool(changes), "diff": changes and digest("git diff v1", changes.encode())}


def _gpus() -> list[str]:
    """Models of the NVIDIA GPUs that the driver shows and that are not hidden from this process."""
    shown = os.environ.get(GPU_VARIABLE)
    models = [] if shown in ("", "-1") else [_model(text) for text in gpu_information()]
    if not models:
        return []
    chosen = shown.split(",") if shown else []
    return [models[int(word)] if word.isdigit() and int(word) < len(models) else word for word in chosen] or models


def _model(information: str) -> str:
    found = [line.partition(":")[2].strip() for line in information.splitlines() if line.startswith("Model")]
    return found[0] if found else "unknown"


def _threads() -> int:
    """As torch chooses without being told: what the environment says, else the cores that this process may use."""
    for name in THREAD_VARIABLES:
        value = os.environ.get(name, "")
        if value.isdecimal() and int(value):
            return int(value)
    return cores()


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _distributions() -> dict[str, str]:
    """Read off the names of the dist-info folders: opening 150 metadata files would take longer than the rest."""
    found: dict[str, str] = {}
    for entry in filter(None, reversed(sys.path)):
        folders = os.listdir(entry) if os.path.isdir(entry) else []  # noqa: PTH112, PTH208 - a Path for each is slow
        for folder in sorted(name for name in folders if name.endswith(".dist-info")):
            name, _, version = folder.removesuffix(".dist-info").rpartition("-")
            found[name.replace("_", "-").lower()] = version
    return dict(sorted(found.items()))


def _git_says(root: Path, *arguments: str) -> str:
    import subprocess

    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=GIT_TIMEOUT_S).stdout  # noqa: S603
