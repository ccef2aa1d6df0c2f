"""`data`, `quality`, `features`: what is learnt from."""

from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    InstanceOf,
    PlainValidator,
    Tag,
    field_validator,
    model_validator,
)

from totalml.component import UNION, Items, Misfit, Section, Where
from totalml.condition import condition
from totalml.kinds import Feature, QualityCheck, SharedFeature, Source
from totalml.recipe.bounds import SHARED_NAME, Digest, Duration, Label, Positive, Share


def _readable(text: str) -> str:
    condition(text)
    return text


def _plain(value: Any) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    raise ValueError(f"expected text, a number, true or false, got {value!r}")


def _same(one: Any, other: Any) -> bool:
    """1 and true are not the same in a column."""
    return type(one) is type(other) and one == other


Split = Literal["train", "validation", "test"]
Plain = Annotated[str | int | float | bool, PlainValidator(_plain)]


class SplitRecipe(Section):
    """How samples are shared out to train, validation and test."""

    by: Literal["hash", "column", "time", "rolling"] = "hash"
    train: Share = 0.7
    validation: Share = 0.15
    test: Share = 0.15
    column: str | None = None  # by: column; any column of the metadata
    values: dict[Split, Items[Plain]] | None = None  # by: column; None: the words train, validation, test
    horizon: Duration | None = None  # by: rolling; how long the test split lasts, and validation before it
    gap: Duration = "0s"  # by: rolling; left out before validation and before test
    window: Duration | None = None  # by: rolling; how far back train reaches; None: to the beginning
    folds: Positive = 1  # by: rolling; test splits of one horizon each, the last one ends with the data
    fold: Positive = 1  # by: rolling; which of them, the earliest first
    salt: str = ""  # by: hash; another salt gives another split

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if abs(self.train + self.validation + self.test - 1) > 1e-9:
            raise ValueError(f"train + validation + test must be 1, got {self.train + self.validation + self.test:g}")
        for key, by in (("column", "column"), ("horizon", "rolling")):
            if (self.by == by) != (getattr(self, key) is not None):
                raise ValueError(f"{key!r} goes with 'by: {by}', and only with it")
        if self.values is not None:
            self._check_values()
        if self.fold > self.folds:
            raise Misfit(f"there are {self.folds} folds, so 'fold' is at most that, got {self.fold}", "fold")
        return self

    def _check_values(self) -> None:
        if self.by != "column":
            raise Misfit("'values' goes with 'by: column', and only with it", "values")
        for name in ("train", "test"):
            if not (self.values or {}).get(name):
                raise Misfit(f"name the values of the column {self.column!r} that mean {name}", "values")
        named = [value for values in (self.values or {}).values() for value in values]
        if twice := [value for value in named if sum(_same(value, other) for other in named) > 1]:
            raise Misfit(f"{twice[0]!r} stands in two splits", "values")


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
    labels: Labels | None = None  # None: every label in the snapshot, sorted; a mapping also names other spellings
    where: Annotated[str, AfterValidator(_readable)] | None = None  # such as "type == 'mono' and year > 2020"
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


class SharedRecipe(Section):
    """A feature of conf/shared/ with its whole definition; a recipe file holds its name alone, `team/name`.

    The name counts: a model and a plan find their columns by it.
    """

    name: Annotated[str, Field(pattern=f"^{SHARED_NAME.pattern}$")]
    pin: Annotated[str | None, Where] = None  # the beginning of the id that the definition must have
    snapshot: Annotated[Digest | None, Where] = None  # the data hash of its own source, in the recipe of a run
    feature: InstanceOf[SharedFeature]


class FeaturesRecipe(Section):
    image: ImageFeatures | None = ImageFeatures()
    table: TableFeatures | None = None
    shared: Items[SharedRecipe] = ()  # `team/name` of conf/shared/, or `team/name@id` to pin it
    own: Items[InstanceOf[Feature]] = ()  # numbers made by the recipe's own code, beside those of the table

    @field_validator("shared")
    @classmethod
    def _each_once(cls, shared: tuple[SharedRecipe, ...]) -> tuple[SharedRecipe, ...]:
        names = [each.name for each in shared]
        for place, name in enumerate(names):
            if name in names[:place]:
                raise Misfit(f"{name!r} is named twice; leave one out", place)
        return shared
