"""The models that are registered, and what their aliases point at.

totalml registry list
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.identity import short
from totalml.terminal import aligned

if TYPE_CHECKING:
    from totalml.project import Place

HEADER = ("model", "alias", "release", "run", "since (UTC)", "by")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    from totalml.registry import Aliases, models
    from totalml.release.named import NOTHING

    store = place.open_store()
    points = {model: Aliases(store, model).points() for model in sorted(models(store))}
    if arguments.json:
        print(
            json.dumps({m: {alias: each.as_json() for alias, each in p.items()} for m, p in points.items()}, indent=2)
        )
        return 0
    rows = [
        (model, alias, short(each.release, 12) or "none", each.version, each.when[:19], each.who)
        for model, aliases in points.items()
        for alias, each in sorted(aliases.items())
    ]
    print("\n".join(aligned([HEADER, *rows])) if rows else NOTHING)
    return 0
