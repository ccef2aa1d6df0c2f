"""The metrics of a run, which show themselves as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from totalml.evaluation.interval import Interval
from totalml.report.markup import tag
from totalml.report.number_format import MISSING, figure, interval
from totalml.terminal import aligned

HEAD = ("metric", "value", "interval")


class Metrics(Mapping[str, Interval]):
    """Name -> value with its bounds; `metrics["accuracy"].value`."""

    def __init__(self, found: Mapping[str, Interval]) -> None:
        self._found = dict(found)

    def __getitem__(self, name: str) -> Interval:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return "\n".join(aligned([HEAD, *self._rows()]))

    def _repr_html_(self) -> str:
        head = tag("tr", *(tag("th", cell, scope="col") for cell in HEAD))
        body = [
            tag("tr", tag("th", name, scope="row"), *(tag("td", cell) for cell in rest)) for name, *rest in self._rows()
        ]
        return tag("table", tag("thead", head), tag("tbody", *body))

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(name, _value(name, metric), _bounds(name, metric)) for name, metric in self._found.items()]


def _value(name: str, metric: Interval) -> str:
    return MISSING if metric.value is None else figure(name, metric.value)


def _bounds(name: str, metric: Interval) -> str:
    return "; ".join(part for part in (interval(name, metric), metric.note) if part)
