"""The number that each target came to."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.evaluation.regression.columns import column
from totalml.evaluation.truth import Truth, shown

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class NumbersTruth(Truth):
    """`error:<target>` is the answer minus the label, in the target's unit; `absolute_error:<target>` its size."""

    targets: tuple[str, ...]

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        import pyarrow as pa

        return dict.fromkeys(self.targets, pa.float64())

    def value(self, column: str, given: Any) -> float:
        is_number = isinstance(given, int | float) and not isinstance(given, bool)
        if not is_number or not abs(given) <= sys.float_info.max:
            raise ValueError(f"{column} wants a number; got {shown(given)}")
        return float(given)

    def from_text(self, column: str, text: str) -> Any:
        with suppress(ValueError):
            return float(text)
        return text

    def judge(self, answers: pa.Table, truths: pa.Table) -> dict[str, Any]:
        import pyarrow.compute as pc

        said = {name: answers[column("value", name, self.targets)] for name in self.targets}
        errors = {name: pc.subtract(said[name], truths[name]) for name in self.targets}
        sizes = {f"absolute_error:{name}": pc.abs(error) for name, error in errors.items()}
        return {f"error:{name}": error for name, error in errors.items()} | sizes
