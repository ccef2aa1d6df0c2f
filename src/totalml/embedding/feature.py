"""A shared feature: what a frozen image backbone makes of each picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field, InstanceOf

from totalml.kinds import ImageBackbone, SharedFeature

if TYPE_CHECKING:
    import pyarrow as pa


class Embedding(SharedFeature):
    """The embedding of the square in the middle of each picture, in parts `e0`, `e1`, ...; missing without a picture.

    A backbone without weights of its own starts as a run with this seed would. It works on the CPU, so that a value is
    the same for all who share it.
    """

    rooms: ClassVar[tuple[str, ...]] = ("embedding", "model")
    packages: ClassVar[tuple[str, ...]] = ("torch", "torchvision")

    backbone: InstanceOf[ImageBackbone]
    size: Annotated[int, Field(ge=8, le=1024)] = 224  # px, of the square after resizing
    seed: int = 0

    def pictures_px(self) -> int:
        return self.size

    def columns(self, rows: pa.Table) -> pa.Table:
        """Raises: ModelError: the backbone cannot be built or cannot take such pictures."""
        import numpy as np
        import pyarrow as pa
        import torch

        from totalml.embedding.start import embedded, start_of
        from totalml.features.shared.pictured import pixels_of

        pixels, places = pixels_of(rows, self.size)
        backbone = start_of(self.backbone, self.seed).backbone
        values = np.full((backbone.width, len(rows)), np.nan)
        values[:, places] = embedded(backbone, pixels, torch.device("cpu")).T
        return pa.table({f"e{part}": pa.array(each, from_pandas=True) for part, each in enumerate(values)})
