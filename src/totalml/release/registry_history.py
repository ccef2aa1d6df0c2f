"""Every event of a model, the latest first: what was registered, promoted and rolled back, by whom, when and why.

totalml registry history guinness
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.identity import short
from totalml.release.named import history_of
from totalml.release.registry_list import aligned
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.project import Place

HEADER = ("when", "alias", "how", "release", "run", "by", "why")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--alias", help="of this one only")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    events = history_of(arguments.model, place.open_store())
    history = [each for each in events if arguments.alias in (None, each.alias)]
    if not history:
        aliases = {each.alias for each in events}
        hint = did_you_mean(arguments.alias, aliases) or f"; there are: {', '.join(sorted(aliases))}"
        raise RecipeError(f"command line: {arguments.model} never had an alias {arguments.alias!r}{hint}")
    if arguments.json:
        print(json.dumps([each.as_json() for each in history], indent=2, ensure_ascii=False))
        return 0
    rows = [HEADER]
    for each in reversed(history):
        why = "; ".join([each.why, *(f"overruled {reason}" for reason in each.forced)]).strip("; ")
        rows.append(
            (each.when[:19], each.alias, each.how, short(each.release, 12) or "none", each.version, each.who, why)
        )
    print("\n".join(aligned(rows)))
    return 0
