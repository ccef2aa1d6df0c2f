"""What counts for the config hash of a section, however its fields say that they say where."""

from typing import Annotated, Optional

import pytest
from pydantic import Field, create_model
from typing_extensions import TypeAliasType

from totalml.component import Items, Section, Where, plain

Here = Annotated[str, Where]
WAYS = {
    "at the field": Here,
    "nested": Annotated[Here, Field(min_length=1)],
    "an instance": Annotated[str, Where()],
    "or nothing": Here | None,
    "optional": Optional[Here],  # noqa: UP045 - as people write it
    "nested in an option": Annotated[Annotated[Here, Field(min_length=1)] | None, Field()],
    "each of several": Items[Here],
    "by a name": TypeAliasType("Named", Here),
    "a name that may be left out": TypeAliasType("Named", Here) | None,
    "of values": dict[str, Here],
}


def section(kind: object, path: object = "/home/a/photos") -> Section:
    return create_model("Source", __base__=Section, path=(kind, ...), size=(int | None, 3))(path=path)


@pytest.mark.parametrize("way", WAYS)
def test_a_field_that_says_where_does_not_count_however_it_is_written(way):
    held = {"each of several": ["/home/a"], "of values": {"first": "/home/a"}}.get(way, "/home/a")
    made = section(WAYS[way], held)
    assert plain(made, where=False) == {"size": 3}
    assert plain(made, where=True) == {"path": held, "size": 3}


@pytest.mark.parametrize(
    ("kind", "held"),
    [
        (tuple[Here, int], ("/home/a", 2)),
        (Here | int, 2),
        (Items[Here | int], ("/home/a", 2)),
        (dict[Here, int], {"/home/a": 2}),
    ],
)
def test_a_field_of_which_only_a_part_says_where_counts(kind, held):
    assert "path" in plain(section(kind, held), where=False)


@pytest.mark.parametrize("kind", [str, str | None, Annotated[str | None, Field(min_length=1)]])
def test_any_other_field_counts(kind):
    assert plain(section(kind), where=False) == {"path": "/home/a/photos", "size": 3}


def test_a_field_is_not_where_because_a_field_of_what_it_holds_is():
    inner = section(Here)
    outer = create_model("Outer", __base__=Section, source=(type(inner), ...))(source=inner)
    assert plain(outer, where=False) == {"source": {"size": 3}}
