"""All labels that a sample has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.data.list_column import SEPARATOR
from totalml.evaluation.truth import Truth, one_of, shown

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelsTruth(Truth):
    """An answer is `wrong` where it is not exactly these labels."""

    labels: tuple[str, ...]

    @property
    def columns(self) -> Mapping[str, pa.DataType]:
        import pyarrow as pa

        return {"labels": pa.list_(pa.string())}

    def value(self, column: str, given: Any) -> list[str]:
        """In the order of the model's labels."""
        if not isinstance(given, list):
            raise ValueError(f"the label wants a list, empty where none is right; got {shown(given)}")
        has = {one_of(each, self.labels, "label") for each in given}
        return [label for label in self.labels if label in has]

    def from_text(self, column: str, text: str) -> list[str]:
        return [part.strip() for part in text.split(SEPARATOR) if part.strip()]

    def of_targets(self, values: NDArray[Any]) -> dict[str, Any]:
        """A sample has them in a column each, or joined in one of text."""
        from totalml.evaluation.multilabel.columns import lists

        return {"labels": lists(values > 0, self.labels)}

    def judge(self, answers: pa.Table, truths: pa.Table) -> dict[str, Any]:
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from totalml.evaluation.multilabel.columns import flags

        true = truths["labels"]
        said = answers["predicted"].cast(true.type)  # of no type where no release gave any
        # Not our labels alone: one that only another release knew is as wrong.
        names = {*pc.list_flatten(said).unique().to_pylist(), *self.labels}
        differ = (flags(said, tuple(names)) != flags(true, tuple(names))).any(axis=1)
        unknown = pc.or_(said.is_null(), true.is_null())
        return {"wrong": pa.array(differ, mask=np.asarray(unknown))}
