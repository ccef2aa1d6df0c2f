"""What a feature definition made of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.identity import PREFIX

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from totalml.features.embedding_rows import EmbeddingRows
    from totalml.features.image_rows import ImageRows
    from totalml.features.targets import Targets

CHUNK_ROWS = 256


@dataclass(frozen=True)
class FeatureSet:
    """N samples in the order of the snapshot.

    Args:
        key: digest of data hash and definition.
        sample_keys: (N,) int64, a well-mixed hash of the id; keys order and augmentation.
        targets: what is to be predicted.
        images: None without features.image.
        numeric: (N, Dn) float32, NaN where missing.
        categorical: (N, Dc) int64, 0 where missing, else 1 + place in the vocabulary.
        decoded: pictures decoded by this call.
        reused: pictures taken from earlier feature sets.
        pixels: digest of how the pictures were decoded; None without features.image.
        embeddings: of the pictures, where the backbone is frozen; a network then takes them instead.
    """

    key: str
    ids: list[str]
    sample_keys: NDArray[np.int64]
    targets: Targets
    images: ImageRows | None
    numeric: NDArray[np.float32]
    numeric_names: tuple[str, ...]
    categorical: NDArray[np.int64]
    categorical_names: tuple[str, ...]
    vocabularies: tuple[tuple[str, ...], ...]
    decoded: int
    reused: int
    pixels: str | None = None
    embeddings: EmbeddingRows | None = None

    @property
    def embedding_width(self) -> int | None:
        return self.embeddings.width if self.embeddings else None

    @property
    def made(self) -> int:
        """Rows that this call decoded or embedded; 0 if all were there."""
        return self.decoded + (self.embeddings.made if self.embeddings else 0)

    @property
    def taken(self) -> int:
        """Rows that earlier calls had decoded or embedded."""
        return self.reused + (self.embeddings.reused if self.embeddings else 0)

    def content_digest(self) -> str:
        """Of every value that a model is given, in the order of the samples."""
        import numpy as np
        from blake3 import blake3

        hasher = blake3(derive_key_context="totalml feature values v1")
        for values in (self.sample_keys, self.targets.values, self.numeric, self.categorical):
            hasher.update(np.ascontiguousarray(values).tobytes())
        rows = self.embeddings or self.images
        for start in range(0, len(self) if rows else 0, CHUNK_ROWS):
            chosen = np.arange(start, min(start + CHUNK_ROWS, len(self)))
            hasher.update(rows.gather(chosen).tobytes() if rows else b"")
        return f"{PREFIX}{hasher.hexdigest()}"

    def __len__(self) -> int:
        return len(self.ids)
