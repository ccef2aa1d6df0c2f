"""What a release takes and answers: enough to check and to prepare an input without its recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from totalml.component import plain
from totalml.features.shared.frozen import Frozen
from totalml.features.shared.past import TIMESTAMP
from totalml.release.bundle import SIGNATURE, Bundle, open_bundle

if TYPE_CHECKING:
    import pyarrow as pa

    from totalml.evaluation.record import Evaluation
    from totalml.model.inputs import Inputs
    from totalml.recipe import ImageFeatures, Recipe
    from totalml.store import Store

NUMBER, TEXT = "number", "text"  # of a column of the context
COLOUR = "RGB, upright as EXIF says, transparency on white"


@dataclass(frozen=True)
class Signature:
    """Args:
    task: as its evaluation's record is named.
    targets: names of what is predicted, in the order of the model's scores.
    picture: how a picture becomes the square that the model sees (`size` in px, `fit`, `colour`); None: it sees none.
    max_megapixels: of a picture before it is decoded.
    numeric: columns of a row that hold numbers; missing ones are allowed.
    categorical: column -> the values that the model learnt; anything else is one more.
    made: those of `numeric` that the recipe's own code makes; the service takes them ready-made.
    answers: column -> its type in Arrow, as in the predictions.
    units: target -> unit.
    decision: what answers are held against: `threshold` of the probability of `positive`, and the `temperature` that
        would make probabilities as sure as they are right, where the recipe asks for them.
    context: further columns of a row, column -> `number` or `text`: the model does not see them, callers may leave them
        out, and the log keeps them for whoever watches.
        shared: features whose columns, of `numeric`, the service makes of further columns, unless callers give them.
    """

    task: str
    targets: tuple[str, ...]
    picture: Mapping[str, Any] | None
    max_megapixels: float
    numeric: tuple[str, ...]
    categorical: Mapping[str, tuple[str, ...]]
    made: tuple[str, ...]
    answers: Mapping[str, str]
    units: Mapping[str, str]
    decision: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, str] = field(default_factory=dict)
    shared: tuple[Frozen, ...] = ()

    @classmethod
    def of(
        cls,
        recipe: Recipe,
        inputs: Inputs,
        evaluation: Evaluation,
        width: int,
        metadata: pa.Schema,
        shared: tuple[Frozen, ...] = (),
    ) -> Self:
        """Args: width: of the model's scores. metadata: of the snapshot. shared: as they were frozen."""
        table, image = recipe.features.table, recipe.features.image
        told = {*(table.numeric if table else ()), *(name for each in shared for name in each.columns)}
        return cls(
            task=evaluation.task,
            targets=inputs.targets,
            picture={**plain(image, where=True), "colour": COLOUR} if image and inputs.image else None,
            max_megapixels=recipe.data.max_megapixels,
            numeric=inputs.numeric,
            categorical=dict(zip(inputs.categorical, inputs.vocabularies, strict=True)),
            made=tuple(name for name in inputs.numeric if name not in told),
            answers=_answer_types(evaluation, width),
            decision=_decision(evaluation),
            units={name: unit for name in inputs.targets if (unit := evaluation.unit_of(name))},
            context=_context(recipe.monitoring.columns, metadata, (*inputs.numeric, *inputs.categorical)),
            shared=shared,
        )

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Of a row, those that the model sees."""
        return (*self.numeric, *self.categorical)

    @cached_property
    def shared_columns(self) -> tuple[str, ...]:
        """Of those that the model sees, what is made here of further columns unless a caller gives it."""
        return tuple(name for each in self.shared for name in each.columns)

    @cached_property
    def only_for_shared(self) -> tuple[str, ...]:
        """Columns that the model does not see, and of which those of shared features are made."""
        others = {*self.columns, *self.context}
        return tuple(name for name in self.takes if name not in others)

    def left_out(self, given: Iterable[str]) -> set[str]:
        """Columns of shared features, and of what these are made of, that nobody gave: they do not become nulls."""
        return {*self.shared_columns, *self.only_for_shared} - {*given}

    @cached_property
    def hashed(self) -> tuple[str, ...]:
        """Columns that the model sees, or of which these are made: by the hash of them a row is found again.

        What else was told with it is not needed for that.
        """
        return (*self.columns, *self.only_for_shared)

    def given_rows(self, rows: pa.Table) -> list[dict[str, Any]]:
        """What a caller gave of `hashed`; None: it was left out."""
        names, there = self.hashed, {*rows.column_names}
        found = rows.select([name for name in names if name in there]).to_pylist()
        return [dict.fromkeys(names) | row for row in found] if found else [dict.fromkeys(names)] * len(rows)

    @cached_property
    def takes(self) -> Mapping[str, str]:
        """Every column that a row may have -> `number` or `text`."""
        kinds = dict.fromkeys(self.numeric, NUMBER) | dict.fromkeys(self.categorical, TEXT) | dict(self.context)
        for each in self.shared:
            words = dict.fromkeys((TIMESTAMP, *each.entity), TEXT)
            kinds = words | dict.fromkeys(each.numbers, NUMBER) | kinds
        first = (*self.columns, *self.context)
        return {name: kinds[name] for name in dict.fromkeys((*first, *kinds))}

    def image_features(self) -> ImageFeatures | None:
        from totalml.recipe import ImageFeatures

        if self.picture is None:
            return None
        return ImageFeatures(**{name: value for name, value in self.picture.items() if name != "colour"})

    def misfits(self, other: Signature) -> list[str]:
        """Why a caller of the other one would be let down by this one; nothing if it can take its place."""
        wrong = []
        if self.task != other.task:
            wrong.append(f"its task is {self.task}, not {other.task}")
        if self.targets != other.targets:
            wrong.append(f"it predicts {', '.join(self.targets)}, not {', '.join(other.targets)}")
        if self.picture and not other.picture:
            wrong.append("it wants a picture")
        if new := [name for name in self.columns if name not in other.columns]:
            wrong.append(f"it wants further columns: {', '.join(new)}")
        needs = {each.name: {*each.needs} for each in self.shared}
        seen = [each for each in other.shared if {*each.columns} & {*self.numeric}]
        if lost := [each.name for each in seen if not needs.get(each.name, {None}) <= {*each.needs}]:
            wrong.append(f"it does not make of the same columns: {', '.join(lost)}")
        if moved := sorted({*self.numeric} & {*other.categorical} | {*self.categorical} & {*other.numeric}):
            wrong.append(f"columns hold numbers in one and words in the other: {', '.join(moved)}")
        gone = [f"{name} ({kind})" for name, kind in other.answers.items() if self.answers.get(name) != kind]
        if gone:
            wrong.append(f"its answer lacks {', '.join(gone)}")
        if changed := [name for name, unit in other.units.items() if self.units.get(name, unit) != unit]:
            wrong.append(f"other units: {', '.join(changed)}")
        return wrong

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def read(cls, bundle: Bundle) -> Self:
        """Raises: StoreError: it is gone or changed. TypeError, AttributeError: another version wrote it."""
        return cls.from_json(bundle.read_json(SIGNATURE))

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Raises: TypeError, AttributeError: they are none."""
        listed = {name: tuple(values[name]) for name in ("targets", "numeric", "made")}
        categorical = {name: tuple(words) for name, words in values["categorical"].items()}
        shared = tuple(map(Frozen.from_json, values.get("shared", ())))
        return cls(**{**values, **listed, "categorical": categorical, "shared": shared})


def let_down(bundle: Bundle, standing: str, store: Store) -> list[str]:
    """Why callers of the release that stands would be let down by another one.

    Args: standing: its hash; empty: there is none.
    """
    if standing in ("", bundle.hash):
        return []
    return Signature.read(bundle).misfits(Signature.read(open_bundle(standing, store)))


def _decision(evaluation: Evaluation) -> dict[str, Any]:
    check = getattr(evaluation, "confidence_check", None)
    if check is None:
        return {}
    told = {"temperature": check.temperature.value.value, "threshold": None, "positive": None}
    threshold = getattr(check, "threshold", None)
    return told | ({"threshold": threshold.value, "positive": threshold.positive} if threshold else {})


def _context(watched: Sequence[str], metadata: pa.Schema, seen: Sequence[str]) -> dict[str, str]:
    from pyarrow import types

    kinds = {name: metadata.field(name).type for name in watched if name in metadata.names and name not in seen}
    numbers = (types.is_integer, types.is_floating)
    return {name: NUMBER if any(of(kind) for of in numbers) else TEXT for name, kind in kinds.items()}


def _answer_types(evaluation: Evaluation, width: int) -> dict[str, str]:
    import numpy as np
    import pyarrow as pa

    columns = pa.table(evaluation.answer_columns(np.zeros((1, width), np.float32)))
    return {field.name: str(field.type) for field in columns.schema}
