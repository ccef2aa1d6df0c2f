"""Labels in words."""

from collections.abc import Sequence

from totalml.report.markup import Html, joined, name_of

NONE = "no label"


def listed(labels: Sequence[str]) -> str:
    """`thin head, frog eyes`, or that there is none."""
    return ", ".join(labels) or NONE


def quoted(labels: Sequence[str]) -> Html:
    """`“thin head” and “frog eyes”`."""
    named = [joined("“", name_of(label, 24), "”") for label in labels]
    return Html(" and ".join(named)) if named else joined(NONE)
