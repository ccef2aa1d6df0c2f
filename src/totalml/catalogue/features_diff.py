"""What differs between two definitions of shared features, and which values move with it.

  totalml features diff marketing/spend_tv@main marketing/spend_tv              a git revision, and as it stands
  totalml features diff marketing/spend_tv@1a2b3c4d marketing/spend_tv@5e6f7a8b
  totalml features diff weather/rain weather/rain_week

Values are compared at the same entity and time; where both can be made of the same rows, they are. It informs: the exit
code is 0 whether or not something differs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.catalogue.moved import Moved
    from totalml.catalogue.named import Named
    from totalml.project import Place
    from totalml.values.keys import KeyChange


def configure(parser: argparse.ArgumentParser) -> None:
    side = "TEAM/NAME, TEAM/NAME@ID or TEAM/NAME@REVISION"
    parser.add_argument("a", help=side)
    parser.add_argument("b", help="the same")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.catalogue.moved import moved
    from totalml.catalogue.named import find_definition
    from totalml.catalogue.uses import uses
    from totalml.values.keys import key_changes

    used = uses(place)
    a, b = (find_definition(text, place, used) for text in (arguments.a, arguments.b))
    changes = key_changes(a.values, b.values)
    found, told = moved(a, b, used, place.open_store())
    if arguments.json:
        parts = [asdict(each) for each in found]
        keys = [each.as_json() for each in changes]
        print(json.dumps({"a": a.id, "b": b.id, "keys": keys, "values": parts, "of": told}, indent=2))
    else:
        print("\n".join(_lines(a, b, changes, found, told)))
    return 0


def _lines(a: Named, b: Named, changes: list[KeyChange], found: list[Moved], told: str) -> Iterator[str]:
    from totalml.identity import short
    from totalml.terminal import aligned
    from totalml.values.shown import change, marker

    same = "one id: what is computed is the same" if a.id == b.id else f"{short(a.id, 8)} → {short(b.id, 8)}"
    yield f"{a.text} → {b.text}: {same}"
    yield "keys"
    yield from (f"  {marker(each)}{each.key}: {change(each)}" for each in changes)
    if not changes:
        yield "  none differs"
    yield f"values, {told}"
    header = ("part", "compared", "moved", "mean", "", "furthest")
    rows = [
        (each.part, f"{each.compared:,}", f"{each.moved:,}", *map(_short, (each.mean_a, each.mean_b, each.furthest)))
        for each in found
    ]
    yield from aligned([header, *rows], "  ") if rows else ()


def _short(value: float) -> str:
    return f"{value:.5g}"
