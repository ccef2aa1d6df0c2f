"""Every event of a model, the latest first: what was registered, promoted, rolled back, deployed, who, when, why.

totalml registry history guinness
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from totalml.errors import RecipeError
from totalml.identity import PREFIX, short
from totalml.registry import Aliases, Promotion
from totalml.release.named import history_of
from totalml.target import did_you_mean
from totalml.terminal import aligned

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.store.event import Event

Row = tuple[str, ...]

HEADER = ("when (UTC)", "alias", "how", "release", "run", "by", "why")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--alias", help="of this one only")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    store = place.open_store()
    aliases = {each.alias for each in history_of(arguments.model, store)}
    events = Aliases(store, arguments.model).told()
    history = [each for each in events if arguments.alias in (None, getattr(each, "alias", None))]
    if not history:
        hint = did_you_mean(arguments.alias, aliases) or f"; there are: {', '.join(sorted(aliases))}"
        raise RecipeError(f"command line: {arguments.model} never had an alias {arguments.alias!r}{hint}")
    if arguments.json:
        told = [each.as_json() if isinstance(each, Promotion) else asdict(each) for each in history]
        print(json.dumps(told, indent=2, ensure_ascii=False))
        return 0
    rows = (_moved(each) if isinstance(each, Promotion) else _other(each) for each in reversed(history))
    print("\n".join(aligned([HEADER, *rows])))
    return 0


def _moved(each: Promotion) -> Row:
    release = short(each.release, 12) or "none"
    return (each.when[:19], each.alias, each.how, release, each.version, each.who, _why(each.why, each.forced))


def _other(event: Event) -> Row:
    """A deployment that was applied, what became of its challenger, or a release that a service could not load."""
    facts = event.facts
    settings = facts.get("settings", {})
    release = str(facts.get("release") or settings.get("release", ""))
    name = f"deployment {facts['deployment']}" if "deployment" in facts else ""
    why = _why(str(facts.get("why", "")), facts.get("forced", ()))
    how = f"{event.kind}: {facts['stage']}" if "stage" in facts else event.kind
    if challenger := settings.get("challenger"):
        how += f", challenger {_reference(challenger['release'])}"
    return (event.when[:19], name, how, _reference(release), "", event.who, why)


def _reference(text: str) -> str:
    """An alias whole, a bundle hash as everywhere."""
    return short(text, 12) if text.startswith(PREFIX) else text


def _why(why: str, forced: Sequence[str]) -> str:
    return "; ".join([why, *(f"overruled {reason}" for reason in forced)]).strip("; ")
