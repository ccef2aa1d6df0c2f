"""Plain values and their changes as one line of text each.

Names and values come from strangers: nothing in them can start a line, move a cursor or turn the direction of writing.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from totalml.values.keys import ABSENT

if TYPE_CHECKING:
    from totalml.values.keys import KeyChange

LONGEST = 90  # characters of a value
ADDED, REMOVED, SAME = "+ ", "- ", "  "
_OF_ONE = {"are": "is", "have": "has", "were": "was", "repeat": "repeats"}
_OF_MANY = re.compile(rf"\b({'|'.join(_OF_ONE)})\b")


def visible(text: str) -> str:
    """With everything that does not print written as `\\u202e`; so is the end of a line."""
    return "".join(_escaped(letter) if _hidden(letter) else letter for letter in text)


def value(given: Any, longest: int = LONGEST) -> str:
    """`30`, `"pad"`, `Flip(share=0.5)`."""
    text = visible(_spelt(given))
    return text if len(text) <= longest else f"{text[: longest - 21]}…{text[-20:]}"


def counted(count: int, noun: str) -> str:
    """`1 picture`, `2,000 pictures`."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


def change(given: KeyChange) -> str:
    """`2 → 5`; of a long list, what came and went."""
    old, new = given.old, given.new
    if given.kind != "changed":
        return value(new if old is ABSENT else old)
    if _long_list(old) and _long_list(new):
        return _items(old, new)
    return f"{value(old)} → {value(new)}"


def marker(given: KeyChange) -> str:
    return {"added": ADDED, "removed": REMOVED, "changed": SAME}[given.kind]


def _spelt(given: Any) -> str:
    if isinstance(given, Mapping) and "_target_" in given:
        arguments = ", ".join(f"{key}={_spelt(item)}" for key, item in given.items() if key != "_target_")
        return f"{str(given['_target_']).rpartition('.')[2]}({arguments})"
    if isinstance(given, list):
        return f"[{', '.join(map(_spelt, given))}]"
    return json.dumps(given, ensure_ascii=False, default=str)


def _long_list(given: Any) -> bool:
    return isinstance(given, list) and len(_spelt(given)) > LONGEST // 2


def _items(old: list[Any], new: list[Any]) -> str:
    before, after = Counter(map(_spelt, old)), Counter(map(_spelt, new))
    moved = [f"+ {item}" for item in after - before] + [f"- {item}" for item in before - after]
    text = visible(", ".join(moved) or "in another order")
    return f"{len(old)} items → {len(new)} items: {text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}"


def _hidden(letter: str) -> bool:
    """Control, format, surrogate and unassigned characters, and the separators of lines."""
    return letter != " " and (unicodedata.category(letter)[0] == "C" or letter in "\u2028\u2029")


def _escaped(letter: str) -> str:
    return f"\\u{ord(letter):04x}" if ord(letter) <= 0xFFFF else f"\\U{ord(letter):08x}"


def short_number(value: float) -> str:
    """Four digits, or whole from a thousand to a million of millions: `12.35`, `30,420`, `1e+15`."""
    return f"{value:,.0f}" if 999.95 <= abs(value) < 1e12 else f"{value:.4g}"


def some_of(count: int, among: int, noun: str, fault: str) -> str:
    """`2 of 60 pictures are blurred`, `1 of 60 pictures is blurred`. Args: fault: said of many."""
    said = fault if count != 1 else _OF_MANY.sub(lambda found: _OF_ONE[found[0]], fault, count=1)
    return f"{count} of {among} {noun} {said}"
