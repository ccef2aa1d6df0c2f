"""What a person means by a day or a number that is written as a spreadsheet shows it.

A column is read as a whole: 04/01/2021 is told from 2021-04-01 by the 25/01/2021 that stands below it.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

T = TypeVar("T")
_SPREAD = re.compile(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d\d)(?:[ T]0?0:00(?::00)?)?")
_YEAR_FIRST = re.compile(r"(\d{4})[./](\d{1,2})[./](\d{1,2})")
_NUMBER = re.compile(r"[€$£]? ?([+-]?\d[\d.,' \u00a0\u202f]*?) ?[€$£]?")
_GAP = re.compile(r"(?<=\d)[' \u00a0\u202f](?=\d{3}(?!\d))")
_READ = re.compile(r"[+-]?\d*(\.\d*)?")  # what any program reads is wrong for another reason
_POINT = re.compile(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")  # decimal point, commas between thousands
_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+)(,\d+)?")


def meant_days(texts: Sequence[str]) -> list[list[date]]:
    """(N,) the days that each may be, none where it is like no day."""
    day_first = {text: found for text in {*texts} if (found := _spread(text, day=1, month=3))}
    month_first = {text: found for text in {*texts} if (found := _spread(text, day=3, month=1))}
    if any("." in text for text in day_first):  # so written in countries that have the day first
        month_first = {}
    return _of_most(texts, [day_first, month_first, {text: day for text in {*texts} if (day := _year_first(text))}])


def meant_numbers(texts: Sequence[str]) -> list[list[str]]:
    """(N,) the numbers that each may be, as a program reads them; none where it is like no number."""
    others = [text for text in {*texts} if not _READ.fullmatch(text.strip())]
    plain = {text: _GAP.sub("", found[1]) for text in others if (found := _NUMBER.fullmatch(text.strip()))}
    point = {text: each.replace(",", "") for text, each in plain.items() if _POINT.fullmatch(each)}
    comma = {text: each.replace(".", "").replace(",", ".") for text, each in plain.items() if _COMMA.fullmatch(each)}
    return _of_most(texts, [point, comma])


def _of_most(texts: Sequence[str], ways: Iterable[Mapping[str, T]]) -> list[list[T]]:
    """By those ways of writing that fit most of the texts; by the others what these do not fit."""
    ordered = sorted(ways, key=len, reverse=True)
    found = []
    for text in texts:
        fitting = [way for way in ordered if text in way]
        found.append([*dict.fromkeys(way[text] for way in fitting if len(way) == len(fitting[0]))])
    return found


def _spread(text: str, *, day: int, month: int) -> date | None:
    if not (found := _SPREAD.fullmatch(text.strip())):
        return None
    year = int(found[4]) + (2000 if len(found[4]) == 2 else 0)
    return _date(year, int(found[month]), int(found[day]))


def _year_first(text: str) -> date | None:
    found = _YEAR_FIRST.fullmatch(text.strip())
    return _date(*map(int, found.groups())) if found else None


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
