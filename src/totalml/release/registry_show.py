"""What a release is: what it takes and answers, what it was made of, its figures and gates, and its files.

totalml registry show guinness@production
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from totalml.release.named import find_release

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.release.bundle import Bundle
    from totalml.release.signature import Signature

MADE_OF = ("run_id", "attempt", "config_hash", "data_hash", "features", "code_digest", "environment_digest", "backend")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("release", metavar="MODEL@ALIAS", help="or MODEL@HASH")
    parser.add_argument("--json", action="store_true", help="for scripts")


def run(arguments: argparse.Namespace, place: Place) -> int:
    import json

    bundle = find_release(arguments.release, place.open_store())
    bundle.verify()
    if arguments.json:
        told = {"release": bundle.hash, "facts": dict(bundle.facts), "files": dict(bundle.files)}
        print(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_told(bundle)))
    return 0


def _told(bundle: Bundle) -> Iterator[str]:
    from totalml.release.bundle import GATES, METRICS
    from totalml.release.signature import Signature

    yield f"{bundle.name}, release {bundle.hash}"
    yield f"  in {bundle.folder}, every file as it was released"
    yield "made of"
    yield from (f"  {name.replace('_', ' ')}: {bundle.facts.get(name)}" for name in MADE_OF)
    yield from _signature(Signature.read(bundle))
    yield "figures of the test split"
    yield from (f"  {name}: {_interval(each)}" for name, each in bundle.read_json(METRICS)["metrics"].items())
    yield "gates"
    gates = bundle.read_json(GATES)["gates"]
    yield from (f"  {gate['title']}: {gate['outcome']}" for gate in gates)
    if not gates:
        yield "  none"
    yield "files"
    yield from (f"  {name}  {digest}" for name, digest in sorted(bundle.files.items()))


def _signature(signature: Signature) -> Iterator[str]:
    yield "takes"
    if signature.picture:
        yield f"  a picture, seen as {signature.picture['size']} px ({signature.picture['fit']})"
    made = {name: f", made here of {', '.join(each.needs)}" for each in signature.shared for name in each.columns}
    made |= dict.fromkeys(signature.made, ", made by the recipe's own code and given ready-made")
    yield from (f"  {name}: number{made.get(name, '')}" for name in signature.numeric)
    yield from (f"  {name}: one of {len(words)} words" for name, words in signature.categorical.items())
    yield "answers"
    yield from (f"  {name}: {kind}" for name, kind in signature.answers.items())


def _interval(each: dict[str, Any]) -> str:
    if each.get("value") is None:
        return str(each.get("note"))
    bounds = f" ({each['low']:.4g} to {each['high']:.4g})" if each.get("low") is not None else ""
    return f"{each['value']:.4g}{bounds}"
