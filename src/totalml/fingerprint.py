"""What a run was made with besides its recipe and data: code, environment and execution, each with a digest."""

import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import totalml
from totalml.component import plain
from totalml.identity import canonical, digest, folder_digest
from totalml.recipe import Recipe, RuntimeRecipe

MOVES_NUMBERS = ("lightning", "numpy", "pillow", "pyarrow", "torch", "torchmetrics", "torchvision")


def code(recipe: Recipe) -> dict[str, Any]:
    """Digests over the source files of totalml and of the recipe's own code; git's view for information."""
    sources = {"totalml": folder_digest("code v1", Path(totalml.__file__).parent, "*.py")}
    for package in sorted(_recipe_packages(plain(recipe, where=True))):
        found = sys.modules[package].__file__
        if found:
            sources[package] = folder_digest("code v1", Path(found).parent, "*.py")
    return {"digest": digest("code v1", canonical(sources)), "sources": sources, "git": _git()}


def environment() -> dict[str, Any]:
    """Python, platform and every installed distribution; only those that move numbers count for the digest."""
    packages = _distributions()
    facts = {"python": platform.python_version(), "platform": f"{platform.system()} {platform.machine()}"}
    counted = {**facts, "packages": {name: packages.get(name) for name in MOVES_NUMBERS}}
    return {"digest": digest("environment v1", canonical(counted)), **facts, "packages": packages}


def execution(runtime: RuntimeRecipe) -> dict[str, Any]:
    """How the computing is asked for; what can move the last digits of a result."""
    facts = {
        "device": runtime.device,
        "precision": runtime.precision,
        "compile": runtime.compile,
        "threads": runtime.threads,
        "strategy": runtime.strategy,
        "devices": runtime.devices,
        "nodes": runtime.nodes,
    }
    return {"digest": digest("execution v1", canonical(facts)), **facts}


def _recipe_packages(value: Any) -> set[str]:
    """`recipes.guinness` for every `recipes.guinness.source.PintSource` in the recipe."""
    if isinstance(value, dict):
        target = str(value.get("_target_", ""))
        own = {".".join(target.split(".")[:2])} if target.startswith("recipes.") else set()
        return own.union(*map(_recipe_packages, value.values()))
    if isinstance(value, list):
        return set().union(*map(_recipe_packages, value))
    return set()


def _distributions() -> dict[str, str]:
    """Read off the names of the dist-info folders: opening 150 metadata files would take longer than the rest."""
    found: dict[str, str] = {}
    for entry in filter(None, reversed(sys.path)):
        for folder in sorted(Path(entry).glob("*.dist-info")):
            name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
            found[name.replace("_", "-").lower()] = version
    return dict(sorted(found.items()))


def _git() -> dict[str, Any] | None:
    """Commit and whether tracked files were changed; None outside a git checkout."""
    root = Path(totalml.__file__).parent
    try:
        commit = _git_says(root, "rev-parse", "HEAD")
        return {"commit": commit, "dirty": bool(_git_says(root, "status", "--porcelain", "--untracked-files=no"))}
    except (OSError, subprocess.SubprocessError):
        return None


def _git_says(root: Path, *arguments: str) -> str:
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=10).stdout.strip()  # noqa: S603
