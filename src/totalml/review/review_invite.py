"""Invite somebody to judge: a link of their own, which ends by itself, or at once by `totalml review revoke`.

  totalml review invite guinness eve                   the link, for 30 days
  totalml review invite guinness "Bob at Mulligan's" --days 7 --url https://review.example.org

Whoever has the link judges in that name, so send it to nobody else. The store keeps only its digest: a link that was
lost cannot be shown again, and a new one of the same name ends it.
"""

from __future__ import annotations

import argparse
import shlex
import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from totalml.errors import RecipeError
from totalml.recipe.gates import PRODUCTION
from totalml.review.command import USUAL_URL

if TYPE_CHECKING:
    from totalml.project import Place

LONGEST_DAYS = 3650
LONGEST_WAIT_S = 1.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose answers they are to judge")
    parser.add_argument("name", metavar="NAME", help="by which their verdicts are known")
    parser.add_argument("--days", type=float, default=30, help="for which the link works (30)")
    parser.add_argument("--url", default=USUAL_URL, help=f"where the page is reached ({USUAL_URL})")


def anywhere(arguments: argparse.Namespace) -> bool:
    return arguments.store is not None


def _answers(url: str) -> bool:
    """Whether anything listens there, as far as this machine can tell."""
    where = urlsplit(url)
    try:
        port = where.port or (443 if where.scheme == "https" else 80)
        with socket.create_connection((where.hostname or "", port), timeout=LONGEST_WAIT_S):
            return True
    except (OSError, ValueError):
        return False


def _start(model: str, aliases: Sequence[str], url: str) -> str:
    what = model if PRODUCTION in aliases else "@".join([model, *aliases[-1:]])
    if url == USUAL_URL:
        return shlex.join(["totalml", "review", what])
    local = url.startswith("http://127.0.0.1:")
    return shlex.join(["totalml", "review", what, *(["--port", url.rpartition(":")[2]] if local else ["--url", url])])


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.release.named import history_of
    from totalml.review.reviews import Reviews

    if not 0 < arguments.days <= LONGEST_DAYS:
        raise RecipeError(f"command line: --days is a number up to {LONGEST_DAYS:,}; got {arguments.days:g}")
    store = place.open_store()
    aliases = [each.alias for each in history_of(arguments.model, store) if each.release]  # the one moved last is last
    token = Reviews(store, arguments.model).invite(arguments.name, arguments.days)
    ended = shlex.join(["totalml", "review", "revoke", arguments.model, arguments.name])
    print(f"{arguments.url.rstrip('/')}/in/{token}")
    print(f"  for {arguments.name} alone, {arguments.days:g} days; ends at once by: {ended}")
    if not _answers(arguments.url):
        print(f"  nothing answers there yet; the page is started by: {_start(arguments.model, aliases, arguments.url)}")
    return 0
