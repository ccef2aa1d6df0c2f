"""`embed`: pictures of a feature set -> their embeddings, where the recipe freezes the backbone."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np
import torch

from totalml.component import plain
from totalml.embedding.start import BATCH, Start, embedded, start_of
from totalml.features.embedding_rows import EmbeddingRows
from totalml.features.filling import fill
from totalml.features.images import definition_digest
from totalml.features.segments import EMBEDDINGS
from totalml.fingerprint import code_of, files_of
from totalml.identity import canonical, digest
from totalml.progress import Progress
from totalml.recipe import ImageFeatures, Recipe

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.features import FeatureSet, ImageRows
    from totalml.kinds import ImageBackbone
    from totalml.store import Store

SILENT = Progress.silent()

ROOMS = ("embedding", "model")  # whose code makes an embedding, besides the backbone's own


def embed(
    recipe: Recipe, features: FeatureSet, store: Store, device: torch.device, progress: Progress = SILENT
) -> FeatureSet:
    """The features with the embeddings of their pictures; unchanged if no backbone is frozen.

    An embedding is computed once for each picture and frozen backbone, in float32, and then found in the store.

    Raises: ModelError: the backbone cannot be built or cannot take these pictures.
    """
    model, definition, images = recipe.model, recipe.features.image, features.images
    if not model.freeze or model.image is None or definition is None or images is None:
        return features
    start = start_of(model.image, recipe.seed)
    key = _key(model.image, start, definition, device)
    blobs = images.blobs()
    firsts = dict(zip(reversed(blobs.to_pylist()), reversed(range(len(blobs))), strict=True))

    def make(missing: list[str]) -> Iterator[NDArray[np.float32]]:
        rows = np.array([firsts[blob] for blob in missing])
        return progress.track(_embedded(start, images, rows, device), "embed pictures", len(rows))

    filled = fill(EMBEDDINGS, key, blobs, make, store, progress)
    key = digest("embedded feature set v1", canonical([features.key, key]))
    return replace(features, key=key, embeddings=EmbeddingRows(filled, start.state))


def _embedded(
    start: Start, images: ImageRows, rows: NDArray[np.int64], device: torch.device
) -> Iterator[NDArray[np.float32]]:
    """(D,) float32 of each row, in order."""
    backbone = deepcopy(start.backbone).to(device)
    for begin in range(0, len(rows), BATCH):
        yield from embedded(backbone, images.gather(rows[begin : begin + BATCH]), device)


def _key(backbone: ImageBackbone, start: Start, definition: ImageFeatures, device: torch.device) -> str:
    """The digest of all that decides an embedding besides the blob of its picture."""
    what = {
        "code": code_of(backbone, ROOMS),
        "files": sorted(map(str, files_of(backbone).values())),
        "backbone": plain(backbone.untrained(), where=False),  # where its weights came from says less than their bytes
        "state": start.digest,
        "pixels": definition_digest(definition),
        "batch": BATCH,
        "torch": version("torch"),
        "torchvision": version("torchvision"),
        "device": _device_name(device),
        "threads": torch.get_num_threads(),
    }
    return digest("embeddings v1", canonical(what))


def _device_name(device: torch.device) -> str:
    """With what decides which kernels torch picks."""
    if device.type == "cuda":
        return f"cuda {torch.cuda.get_device_name(device)}"
    return f"cpu {torch.backends.cpu.get_cpu_capability()}"
