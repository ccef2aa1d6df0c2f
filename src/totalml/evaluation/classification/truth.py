"""The one class that is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.evaluation.truth import Truth, one_of

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class ClassTruth(Truth):
    """An answer is `wrong` where another class is the likeliest."""

    classes: tuple[str, ...]

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        import pyarrow as pa

        return {"label": pa.string()}

    def value(self, column: str, given: Any) -> str:
        return one_of(given, self.classes, "class")

    def judge(self, answers: pa.Table, truths: pa.Table) -> dict[str, Any]:
        import pyarrow.compute as pc

        return {"wrong": pc.not_equal(answers["predicted"], truths["label"])}
