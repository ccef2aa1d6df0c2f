"""A release as it is, for a runtime of ONNX or `totalml serve --bundle`; it keeps its name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from totalml.release.bundle import MODEL, SIGNATURE, Bundle, copy_bundle
from totalml.release.onnx_model import CATEGORICAL, IMAGE, NUMERIC
from totalml.release.signature import Signature

if TYPE_CHECKING:
    from pathlib import Path


def fill(folder: Path, bundle: Bundle) -> None:
    copy_bundle(bundle, folder)


def told(folder: Path, bundle: Bundle) -> Iterator[str]:
    """What the model takes: not what a caller of the service gives, but what that is made into."""
    signature = Signature.read(bundle)
    yield f"{folder / MODEL} takes N samples:"
    if signature.picture:
        size, fit, colour = (signature.picture[name] for name in ("size", "fit", "colour"))
        yield f"  {IMAGE}: uint8 (N, {size}, {size}, 3), {colour}, fit: {fit}"
    if signature.columns:
        yield f"  {NUMERIC}: float32 (N, {len(signature.numeric)}), NaN where missing: {_listed(signature.numeric)}"
        words = tuple(signature.categorical)
        yield f"  {CATEGORICAL}: int64 (N, {len(words)}), 1 + place in {SIGNATURE}, else 0: {_listed(words)}"
    yield f"It answers by target: {', '.join(signature.targets)}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "none"
