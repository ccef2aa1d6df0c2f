"""`data`, `quality`, `features`: what is learnt from."""

from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import Items, Section, Where
from totalml.kinds import QualityCheck, Source
from totalml.recipe.bounds import Digest, Share


class SplitRecipe(Section):
    """How samples are shared out to train, validation and test."""

    by: Literal["hash", "column", "time"] = "hash"
    train: Share = 0.7
    validation: Share = 0.15
    test: Share = 0.15
    column: str | None = None  # by: column; holds the words train, validation, test
    salt: str = ""  # by: hash; another salt gives another split

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, got {self.train + self.validation + self.test:g}")
        if (self.by == "column") != (self.column is not None):
            raise ValueError("'column' goes with 'by: column', and only with it")
        return self


class DataRecipe(Section):
    source: InstanceOf[Source]
    snapshot: Annotated[Digest | None, Where] = None  # the pin: the data hash that this recipe was written for
    labels: Items[str] | None = None  # None: every label in the snapshot, sorted
    on_bad_sample: Literal["fail", "skip"] = "fail"
    max_megapixels: Annotated[float, Field(gt=0)] = 100.0  # larger pictures are refused before decoding
    split: SplitRecipe = SplitRecipe()


class QualityRecipe(Section):
    checks: Items[InstanceOf[QualityCheck]] = ()


class ImageFeatures(Section):
    """Pixels, decoded once."""

    size: Annotated[int, Field(ge=8, le=1024)] = 128  # px, of the square that the model sees
    fit: Literal["crop", "pad", "stretch"] = "crop"


class TableFeatures(Section):
    """Metadata columns of the snapshot, by name."""

    numeric: Items[str] = ()
    categorical: Items[str] = ()

    @model_validator(mode="after")
    def _names_columns(self) -> Self:
        if not self.numeric and not self.categorical:
            raise ValueError("name at least one numeric or categorical column")
        return self


class FeaturesRecipe(Section):
    image: ImageFeatures | None = ImageFeatures()
    table: TableFeatures | None = None
