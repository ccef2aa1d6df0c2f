"""`data`, `quality`, `features`: what is learnt from."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, InstanceOf, Tag, model_validator

from totalml.component import UNION, Items, Misfit, Section, Where
from totalml.kinds import QualityCheck, Source
from totalml.recipe.bounds import Digest, Label, Share


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


Spellings = dict[Label, Items[Label]]


def _one_meaning(spellings: Spellings) -> Spellings:
    """Sorted, and without the label itself, so that what means the same has one config hash."""
    meaning: dict[str, str] = {}
    for label, others in spellings.items():
        for other in others:
            if other in spellings and other != label:
                raise Misfit(f"{other!r} is a label of its own; it cannot be another spelling of {label!r}", label)
            if meaning.setdefault(other, label) != label:
                raise Misfit(f"{other!r} is given to two labels, {meaning[other]!r} and {label!r}", label)
    return {label: tuple(sorted({*others} - {label})) for label, others in sorted(spellings.items())}


def _form_of_labels(value: Any) -> str:
    return f"{UNION}spellings" if isinstance(value, dict) else f"{UNION}labels"


Labels = Annotated[
    Annotated[Items[Label], Tag(f"{UNION}labels")]
    | Annotated[Spellings, AfterValidator(_one_meaning), Tag(f"{UNION}spellings")],
    Discriminator(_form_of_labels),
]


class DataRecipe(Section):
    source: InstanceOf[Source]
    snapshot: Annotated[Digest | None, Where] = None  # the pin: the data hash that this recipe was written for
    # A list, in the order of the model's outputs; or label -> other spellings that mean it, in alphabetical order;
    # None: every label in the snapshot, sorted.
    labels: Labels | None = None
    on_bad_sample: Literal["fail", "skip"] = "fail"
    max_megapixels: Annotated[float, Field(gt=0)] = 100.0  # larger pictures are refused before decoding
    split: SplitRecipe = SplitRecipe()

    @property
    def classes(self) -> tuple[str, ...] | None:
        """The labels that the recipe allows; None: any."""
        return tuple(self.labels) if isinstance(self.labels, dict) else self.labels

    @property
    def spellings(self) -> dict[str, str]:
        """Other spelling -> label."""
        labels = self.labels if isinstance(self.labels, dict) else {}
        return {other: label for label, others in labels.items() for other in others}


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
