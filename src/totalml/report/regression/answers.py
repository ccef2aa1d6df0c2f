"""One prediction in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from totalml.evaluation.regression.columns import column
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.number_format import quantity
from totalml.report.task_parts import Answer

MOST_TARGETS = 3


def answer(evaluation: RegressionEvaluation, row: Mapping[str, Any]) -> Answer:
    """A row of the predictions; right where every truth is inside its interval, the farthest off first."""
    values = list(_values(evaluation, row))
    off = sum(abs(said - true) / evaluation.deviation[name] for name, true, said, *_ in values) / len(values)
    return Answer(
        id=row["id"],
        right=all(low is None or low <= true <= high for _, true, _, low, high in values),
        true=_listed(evaluation, [(name, true) for name, true, *_ in values]),
        said=_listed(evaluation, [(name, said) for name, _, said, *_ in values]),
        remark="off by " + _listed(evaluation, [(name, said - true) for name, true, said, *_ in values], "+"),
        order=-off,
    )


def _values(evaluation: RegressionEvaluation, row: Mapping[str, Any]) -> Iterator[tuple[str, float, float, Any, Any]]:
    for name in evaluation.targets:
        true, said, low, high = (
            row[column(part, name, evaluation.targets)] for part in ("truth", "value", "lower", "upper")
        )
        yield name, true, said, low, high


def _listed(evaluation: RegressionEvaluation, values: list[tuple[str, float]], sign: str = "") -> str:
    shown = [quantity(value, evaluation.units.get(name, ""), sign) for name, value in values[:MOST_TARGETS]]
    return ", ".join(shown) + (", ..." if len(values) > MOST_TARGETS else "")
