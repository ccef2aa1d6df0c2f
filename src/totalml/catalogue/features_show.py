"""A shared feature: its whole definition, what its values look like, and which recipes, runs and releases use it.

totalml features show marketing/spend_tv
totalml features show marketing/spend_tv@1a2b3c4d      as it was with this id
totalml features show marketing/spend_tv@main          as it is at a git revision
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.catalogue.figures import Figures
    from totalml.catalogue.named import Named
    from totalml.catalogue.uses import Use
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("feature", metavar="TEAM/NAME[@ID]", help="or TEAM/NAME@REVISION")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.catalogue.figures import figures_of
    from totalml.catalogue.named import find_definition
    from totalml.catalogue.rows import whole_values
    from totalml.catalogue.uses import uses

    used = uses(place)
    named = find_definition(arguments.feature, place, used)
    used = [each for each in used if each.feature == named.name]
    values, told = whole_values(named, used, place.open_store())
    figures = None if values is None else figures_of(values)
    if arguments.json:
        print(json.dumps(_as_json(named, figures, used), indent=2, ensure_ascii=False, default=str))
    else:
        print("\n".join(_told(named, figures, told, used)))
    return 0


def _as_json(named: Named, figures: Figures | None, used: Sequence[Use]) -> Mapping[str, Any]:
    by = [{"by": each.by, "who": each.who, "id": each.id} for each in used]
    found = None if figures is None else asdict(figures)
    return {"name": named.name, "id": named.id, "definition": named.values, "figures": found, "used": by}


def _told(named: Named, figures: Figures | None, told: str, used: Sequence[Use]) -> Iterator[str]:
    import yaml

    yield f"{named.name}, {named.id}"
    yield f"  in {named.where}"
    yield "definition"
    written = yaml.safe_dump(dict(named.values), sort_keys=False, allow_unicode=True)
    yield from (f"  {line}" for line in written.splitlines())
    yield f"values, of {told}" if figures else f"values: {told}"
    if figures:
        yield from _figures(figures)
    yield "used by"
    yield from _used(named, used)


def _figures(figures: Figures) -> Iterator[str]:
    from totalml.terminal import aligned

    span = f", {figures.first:%Y-%m-%d %H:%M} to {figures.last:%Y-%m-%d %H:%M} UTC" if figures.first else ""
    yield f"  {figures.rows:,} rows of {figures.entities:,} entities{span}"
    header = ("part", "values", "missing", "mean", "least", "5 %", "median", "95 %", "most")
    rows = [
        (each.part, f"{each.count:,}", f"{each.missing:,}", *(f"{value:.5g}" for value in (each.mean, *each.quantiles)))
        for each in figures.parts
    ]
    filled = [(*row, *[""] * (len(header) - len(row))) for row in rows]
    yield from aligned([header, *filled], "  ")


def _used(named: Named, used: Sequence[Use]) -> Iterator[str]:
    from totalml.identity import short
    from totalml.terminal import aligned

    rows = [(each.by, each.who, short(each.id, 8) if each.id else "no longer valid") for each in used]
    told = [(*row, "" if each.id == named.id else "another definition") for row, each in zip(rows, used, strict=True)]
    yield from aligned(told, "  ") if told else ("  nothing yet",)
