"""How each reviewer does: errors on planted gold, how often they cannot tell, how fast they are, and how carefully."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from totalml.evaluation.shares import gap_bounds, z_of
from totalml.identity import canonical
from totalml.review.figures.intervals import CONFIDENCE, exact
from totalml.review.said import CANNOT_TELL, WRONG_SUBJECT

if TYPE_CHECKING:
    from totalml.evaluation.interval import Interval
    from totalml.review.figures.judgements import Judgements
    from totalml.review.said import Verdict

BREAK_S = 300.0  # an item that lay open longer was left, not looked at
FASTEST_S = 0.7  # to see a picture, to know, and to press; choosing among few takes 0.5 s where nothing is to be known
LATEST = 50  # verdicts in which clicking through is looked for
OFTEN_TOO_FAST = 0.2  # of them
CHANCE = 1e-4  # of a run of one answer, below which it is none
SURELY = 0.998  # several are looked at, and a name is named


@dataclass(frozen=True)
class Reviewer:
    """Args:
    errors: share of gold items that they judged otherwise than is known; of `gold` of them.
    cannot_tell, wrong_subject: shares of their verdicts.
    seconds: median of those that took no break; None: not known.
    earlier_seconds, later_seconds: the same of the first and of the second half.
    too_fast: share of the latest verdicts that were faster than anybody sees and decides.
    same: latest verdicts in a row that say the same.
    remarks: what about it makes their verdicts doubtful, in words.
    """

    who: str
    verdicts: int
    gold: int
    errors: Interval
    cannot_tell: float
    wrong_subject: float
    seconds: float | None
    earlier_seconds: float | None
    later_seconds: float | None
    too_fast: float
    same: int
    remarks: Sequence[str]

    @property
    def items_an_hour(self) -> float | None:
        """While judging."""
        return 3600 / self.seconds if self.seconds else None


def reviewers(judged: Judgements, confidence: float = CONFIDENCE) -> list[Reviewer]:
    """Sorted by name."""
    said = Counter(_answer(each) for each in judged.verdicts)
    found = [_of(who, mine, judged, said, confidence) for who, mine in sorted(judged.by_reviewer().items())]
    wrong, gold = gold_errors(judged.verdicts, judged)
    return [replace(each, remarks=[*_beside_others(each, wrong, gold), *each.remarks]) for each in found]


def gold_errors(mine: Sequence[Verdict], judged: Judgements) -> tuple[int, int]:
    """How many labels of gold items are wrong, and how many there are."""
    gold = [each for each in mine if each.label and judged.is_gold(each)]
    return sum(not _is_true(each, judged) for each in gold), len(gold)


def _beside_others(each: Reviewer, wrong: int, gold: int) -> list[str]:
    """Args: wrong, gold: of all of them."""
    mine, others = round((each.errors.value or 0.0) * each.gold), gold - each.gold
    if not each.gold or not others:
        return []
    hits, count, other_hits, other_count = np.array([[mine], [each.gold], [wrong - mine], [others]])
    low, _ = gap_bounds(hits, count, other_hits, other_count, z_of(SURELY))
    return ["errs more often on gold than the others"] if low[0] > 0 else []


def _of(
    who: str, mine: Sequence[Verdict], judged: Judgements, said: Mapping[bytes, int], confidence: float
) -> Reviewer:
    wrong, gold = gold_errors(mine, judged)
    timed = [each.seconds for each in mine if 0 < each.seconds <= BREAK_S]
    latest = [each.seconds for each in mine[-LATEST:] if each.seconds > 0]
    too_fast = sum(each < FASTEST_S for each in latest) / len(latest) if latest else 0.0
    answers = [_answer(each) for each in mine]
    same = sum(1 for _ in takewhile(lambda each: each == answers[-1], reversed(answers)))
    others = len(answers) < sum(said.values())
    remarks = []
    if too_fast > OFTEN_TOO_FAST and len(latest) >= 10:
        remarks.append(f"{round(100 * too_fast)} of 100 of the latest took less than {FASTEST_S:g} s")
    if others and _chance(answers, same, said) < CHANCE:
        remarks.append(f"the latest {same} say the same, which others of them would not")
    half = len(timed) // 2
    return Reviewer(
        who=who,
        verdicts=len(mine),
        gold=gold,
        errors=exact(wrong, gold, confidence),
        cannot_tell=sum(CANNOT_TELL in each.answer for each in mine) / len(mine),
        wrong_subject=sum(WRONG_SUBJECT in each.answer for each in mine) / len(mine),
        seconds=median(timed) if timed else None,
        earlier_seconds=median(timed[:half]) if half else None,
        later_seconds=median(timed[-half:]) if half else None,
        too_fast=too_fast,
        same=same,
        remarks=remarks,
    )


def _chance(answers: Sequence[bytes], same: int, said: Mapping[bytes, int]) -> float:
    """Of so long a run, if each of its items were judged as others judge items."""
    theirs = {answer: count - answers.count(answer) for answer, count in said.items()}
    # One more of each, since what others have not said yet is not impossible.
    share = (theirs[answers[-1]] + 1) / (sum(theirs.values()) + len(theirs) + 1)
    return float(share**same)


def _is_true(verdict: Verdict, judged: Judgements) -> bool:
    truth, label = judged.truths[verdict.item], verdict.label or {}
    return all(_plain(label.get(name)) == _plain(value) for name, value in truth.items())


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, list) else value


def _answer(verdict: Verdict) -> bytes:
    return canonical({key: value for key, value in verdict.answer.items() if key != "at"})
