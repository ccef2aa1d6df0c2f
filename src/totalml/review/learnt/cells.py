"""Where a snapshot holds what a label says: a class in `label`, numbers in columns, several as the task says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from totalml.data.list_column import SEPARATOR

if TYPE_CHECKING:
    from totalml.release.bundle import Bundle

CLASS = "label"
MULTILABEL = "multilabel"


@dataclass(frozen=True)
class Cells:
    """Args:
    labels: metadata columns, one a label, of a task with several.
    column, separator: or the one that joins them.
    """

    labels: tuple[str, ...] = ()
    column: str = ""
    separator: str = SEPARATOR

    @classmethod
    def of(cls, bundle: Bundle, task: str) -> Cells:
        """Args: task: as of the signature. Raises: StoreError: the release's recipe cannot be read."""
        given = bundle.recipe.get("task") if task == MULTILABEL else None
        if not isinstance(given, Mapping):
            return cls()
        return cls(tuple(given.get("labels") or ()), given.get("column") or "", given.get("separator") or SEPARATOR)

    def written(self, label: Mapping[str, Any]) -> dict[str, Any]:
        """Column -> cell; `CLASS` is the snapshot's own. What is not known is left out."""
        known = {name: value for name, value in label.items() if value is not None}
        if self.labels:
            (several,) = known.values()
            return {name: name in several for name in self.labels}
        if self.column:
            (several,) = known.values()
            return {self.column: self.separator.join(several)}
        return known
