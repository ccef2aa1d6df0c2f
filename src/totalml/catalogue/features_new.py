"""Start a shared feature: conf/shared/<team>/<name>.yaml, with a comment at each key that it may want.

  totalml features new marketing/spend_tv --kind Lags

Nothing that is there is overwritten. What it writes passes `totalml recipe check` at once, in a recipe that names it.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.target import did_you_mean

if TYPE_CHECKING:
    from totalml.project import Place

# kind -> its own keys, and its reason.
KINDS: dict[str, tuple[str, Sequence[str]]] = {
    "Lags": (
        "What a column was at each row and in the periods before it.",
        (
            "column: value  # of the rows",
            "every: 1w  # how far apart rows are",
            "lags: 12",
            "missing: nan  # or zero, stop",
        ),
    ),
    "Window": (
        "What a column came to over the time up to each row.",
        ("column: value  # of the rows", "last: 4w", "of: [sum, mean]  # and min, max, count"),
    ),
    "Ratio": ("A column for each unit of another.", ("column: value  # of the rows", "per: size")),
    "Calendar": ("Where a row's time stands in the year.", ("waves:", "  year: 2", "zone: UTC")),
    "Holidays": ("Public holidays about a row's time.", ("country: IE  # ISO 3166", "period: 1d")),
    "ImageProperties": ("What a row's picture looks like.", ("of: [brightness, contrast, sharpness]",)),
    "Embedding": (
        "What a frozen backbone makes of a row's picture.",
        (
            "backbone:",
            "  _target_: totalml.model.SmallCnn  # or TorchvisionBackbone, with name and weights",
            "size: 224",
        ),
    ),
}
HOMES = {"Embedding": "totalml.embedding"}  # of all others, totalml.features
OF_TIME_ALONE = ("Calendar", "Holidays", "Ratio", "ImageProperties", "Embedding")  # which need no entity


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="TEAM/NAME", help="lower case letters, digits and _, e.g. marketing/spend_tv")
    parser.add_argument("--kind", required=True, help=", ".join(KINDS))


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.compose.shared import definition_file
    from totalml.machine import user
    from totalml.recipe.bounds import SHARED_NAME
    from totalml.store.atomic import write_atomically

    name, kind = arguments.name, arguments.kind
    if not SHARED_NAME.fullmatch(name):
        raise RecipeError(
            f"command line: {name!r} cannot be a shared feature's name; it needs team/name, each at most 64 lower case "
            "letters, digits and _, a letter first"
        )
    if kind not in KINDS:
        hint = did_you_mean(kind, KINDS) or f"; there are: {', '.join(KINDS)}"
        raise RecipeError(f"command line: there is no kind {kind!r}{hint}")
    file = definition_file(name)
    if (place.project / file).exists():
        raise RecipeError(f"command line: {file} is there already; nothing was written, take another name")
    write_atomically(place.project / file, scaffold(kind, user()).encode())
    print(f"wrote\n  {file}\nnext: set its keys, name it in a recipe under features.shared as\n  {name}")
    return 0


def scaffold(kind: str, owner: str) -> str:
    """The text of a definition."""
    import json

    reason, own = KINDS[kind]
    entity = [] if kind in OF_TIME_ALONE else ["entity: []  # columns that tell series apart, such as [region]"]
    lines = [
        f"# {reason}",
        f"_target_: {HOMES.get(kind, 'totalml.features')}.{kind}",
        f"owner: {json.dumps(owner)}  # who answers for it",
        f"description: {json.dumps(reason.rstrip('.').lower())}",
        'unit: ""  # such as EUR',
        "# source:  # a source of its own, as of `data:`; without one it is made of the rows of the recipe",
        "#   _target_: totalml.data.ImageTable",
        "#   table: rain.csv",
        "# known_time: reported  # column: since when a row could be known; without one since it happened",
        "# ttl: 2w  # how long after its event a value of its own source may still be used",
        *entity,
        *own,
    ]
    return "\n".join(lines) + "\n"
