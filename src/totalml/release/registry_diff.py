"""What differs between two releases: figures, gates, recipe, inputs and answers, data, features, code.

totalml registry diff guinness@production guinness@candidate
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from totalml.identity import short
from totalml.release.named import find_release

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", metavar="A", help="MODEL@ALIAS or MODEL@HASH")
    parser.add_argument("b", metavar="B", help="the same")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    store = place.open_store()
    a, b = (find_release(text, store) for text in (arguments.a, arguments.b))
    found = differences(a, b)
    head = f"{arguments.a} ({short(a.hash, 12)}) -> {arguments.b} ({short(b.hash, 12)})"
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_told(found, head)) if found else f"{arguments.a} and {arguments.b} are one release")
    return 0


def differences(a: Bundle, b: Bundle) -> dict[str, dict[str, list[Any]]]:
    """Part -> key -> the two values, of what differs."""
    from totalml.release.bundle import GATES, METRICS, SIGNATURE
    from totalml.runs.stored import stored_values

    def recipe(bundle: Bundle) -> dict[str, Any]:
        return flat(stored_values(bundle.file("recipe.yaml").parent))

    def figures(bundle: Bundle) -> dict[str, Any]:
        return {name: each["value"] for name, each in bundle.read_json(METRICS)["metrics"].items()}

    def gates(bundle: Bundle) -> dict[str, Any]:
        return {gate["title"]: gate["outcome"] for gate in bundle.read_json(GATES)["gates"]}

    parts: dict[str, Callable[[Bundle], dict[str, Any]]] = {  # what a person asks first comes first
        "figures": figures,
        "gates": gates,
        "recipe": recipe,
        "inputs and answers": lambda bundle: flat(bundle.read_json(SIGNATURE)),
        "made of": lambda bundle: flat(bundle.facts),
    }
    found = {name: _unlike(read(a), read(b)) for name, read in parts.items()}
    return {name: each for name, each in found.items() if each}


def flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested keys as dotted ones."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= flat(value, f"{above}{key}.") if isinstance(value, Mapping) and value else {f"{above}{key}": value}
    return found


def _unlike(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[Any]]:
    keys = sorted(one.keys() | other.keys())
    return {key: [one.get(key), other.get(key)] for key in keys if one.get(key) != other.get(key)}


def _told(found: Mapping[str, Mapping[str, list[Any]]], head: str) -> Iterator[str]:
    yield head
    for part, keys in found.items():
        yield part
        yield from (f"  {key}: {_short(one)} -> {_short(other)}" for key, (one, other) in keys.items())


def _short(value: Any) -> str:
    text = f"{value:.6g}" if isinstance(value, float) else str(value)
    return text if len(text) < 100 else f"{text[:97]}..."
