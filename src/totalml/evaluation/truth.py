"""What somebody says later is true of a sample: the columns of such a label, what may stand there, what it judges."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from totalml.target import did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

SHOWN = 80  # characters of a value in a reason


class Truth(ABC):
    """Of one task and its targets."""

    @property
    @abstractmethod
    def columns(self) -> Mapping[str, pa.DataType]:
        """Name -> its type in Arrow."""

    @abstractmethod
    def value(self, column: str, given: Any) -> Any:
        """A plain value as the column holds it. Raises: ValueError: it cannot be one; says why."""

    def from_text(self, column: str, text: str) -> Any:
        """What a cell of a table means that holds only text, for `value` to check."""
        return text

    @abstractmethod
    def judge(self, answers: pa.Table, truths: pa.Table) -> dict[str, Any]:
        """What the labels say of answers to the same samples: name -> (N,) column, null where one of both is missing.

        Args: answers: as `answer_columns` of the evaluation names them. truths: `columns`.
        """

    def of_targets(self, values: NDArray[Any]) -> dict[str, Any]:
        """Columns of targets (N, ...) as features hold them, where samples have no column of their own for them."""
        return {}

    def values(self, given: Any) -> dict[str, Any]:
        """Of a label as a caller writes it: the value where there is one column, else an object by column.

        Raises: ValueError: names all that is wrong.
        """
        names = [*self.columns]
        if len(names) == 1:
            return self.checked({names[0]: given})
        if not isinstance(given, Mapping) or not given:
            raise ValueError(f"the label wants an object with {', '.join(names)}; got {shown(given)}")
        return self.checked(given)

    def checked(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Args: given: column -> value; one that is not there is not known.

        Raises: ValueError: names all that is wrong.
        """
        found: dict[str, Any] = dict.fromkeys(self.columns)
        wrong = []
        for name, value in given.items():
            if name not in found:
                hint = did_you_mean(str(name), found) or f"; there are {', '.join(found)}"
                wrong.append(f"there is no target {shown(name)}{hint}")
                continue
            try:
                found[name] = self.value(name, value)
            except ValueError as error:
                wrong.append(str(error))
        if wrong:
            raise ValueError("; ".join(wrong))
        return found


def one_of(given: Any, names: tuple[str, ...], what: str) -> str:
    """Raises: ValueError: it is none of them."""
    from totalml.data.paths import normal

    found = normal(given) if isinstance(given, str) else None
    if found is not None and found in names:
        return found
    hint = did_you_mean(given, names) if isinstance(given, str) else ""
    raise ValueError(f"{shown(given)} is no {what}{hint or f'; there are {shown_names(names)}'}")


def shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)[:SHOWN]


def shown_names(names: Sequence[str], most: int = 10) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(name[:SHOWN] for name in names[:most]) + more
