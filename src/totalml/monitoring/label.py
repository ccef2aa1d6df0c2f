"""Whether the model errs more than it did when it was validated, asked after every label, for as long as one likes.

Promised while the mean loss is at most that of which the validation rows are a sample: with probability 1 - `chance`,
of the draw of those, the mean number of labels until an alarm is at least `average_run`, and within n labels there is
one with probability n / `average_run` at most. The loss is held against an upper bound of the validation's, so few rows
of validation make the test slower, not louder. A run may be counted in whatever goes by, wrong answers or not, such as
rows of which one in five has a label: so few labels alarm more rarely, and need to prove less.

Labels out of a review queue are of chosen samples. With weights, inverse to the chance that a sample was chosen and one
in the mean, the promise is about all samples again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.errors import DataError
from totalml.identity import canonical, digest
from totalml.monitoring.bounds import most_mean
from totalml.monitoring.erring import Erring, LastLosses
from totalml.monitoring.label_rows import checked_losses, checked_masks, checked_weights
from totalml.monitoring.loss_bets import ODDS, loss_bets
from totalml.monitoring.recent import Since
from totalml.monitoring.shiryaev_roberts import ShiryaevRoberts
from totalml.monitoring.states import whole_number
from totalml.monitoring.still_right import StillRight, judged_right
from totalml.monitoring.worse_slices import SliceLosses, WorseSlice

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from totalml.monitoring.label_rows import Numbers, Slices

CHANCE = 0.05
LEAST_PROOF = 100.0  # by how much a bet must have grown for an alarm, whatever it was opened with
BEYOND = 1000.0  # times the threshold; evidence grows no further, so that it goes once errors are as rare as before


@dataclass(frozen=True)
class LabelResult:
    """Args:
    loss: weighted mean since the start; None: there is no label yet.
    bound: what it is held against.
    log_evidence: after the last label; natural logarithm, -inf at the start.
    log_threshold: at which it is an alarm.
    alarm_row: the first of these rows at which it was one, counted from the start; None: at none.
    erring: how often it errs now, and since when, told by the last 2048 labels; first of all, then of the answers that
        show it most, unless all of them do; none: there is no alarm.
    too_few: how many rows of validation are lacking before anything can be told; 0: none.
    """

    loss: float | None
    bound: float
    log_evidence: float
    log_threshold: float
    alarm_row: int | None
    erring: tuple[Erring, ...]
    too_few: int

    @property
    def since(self) -> Since:
        """When it began, rows counted from the start; empty: there is no alarm."""
        return self.erring[0].since if self.erring else Since()

    @property
    def alarm(self) -> bool:
        return self.alarm_row is not None


class LabelTest:
    """As `fit` makes it; not for use by several threads at once."""

    def __init__(
        self,
        loss: float,
        rows: int,
        slices: SliceLosses,
        average_run: float,
        most_weight: float,
        answers: Mapping[str, float],
        losses: Mapping[str, float],
    ) -> None:
        """Args:
        loss: mean of `rows` of validation.
        losses: that of each answer and slice, by `_answer` and `_slice`.
        slices: with the bound of all in it.
        answers: each with the bound of how often it is given wrongly, of all rows.
        """
        self.loss, self.bound, self.threshold = loss, slices.bound, average_run
        self.too_few = 0 if rows else 1
        self._slices, self._most_weight, self._answers = slices, most_weight, dict(answers)
        self._losses = dict(losses)
        self._of = digest("label test v2", canonical([loss, slices.bound, slices.bounds, most_weight, self._answers]))
        self.restart()

    @classmethod
    def fit(
        cls,
        losses: ArrayLike,
        average_run: float,
        slices: Slices | None = None,
        most_weight: float = 1.0,
        chance: float = CHANCE,
        answers: Slices | None = None,
    ) -> Self:
        """Args:
        losses: (N,) of validation, each within 0..1; NaN are passed over.
        average_run: labels between two false alarms, in the mean, at least, or what `passed` counts; more than 1.
        slices: name -> (N,) bool, which rows belong to it; rows may belong to several.
        most_weight: that a label will have; 1 or more.
        chance: with which the bound of all, or of what is wrong with one answer, does not hold, of the draw of the
            validation; and half of it with which one of the slices' does not.
        answers: name -> (N,) bool, which rows were answered so. Errors that come to be more are mostly of one answer,
            and are looked for among all rows by themselves, too.
        Raises: DataError: values outside of what is said here.
        """
        if not (1 < average_run < math.inf and 0 < chance < 1 and 1 <= most_weight < math.inf):
            raise DataError(
                f"average_run is {average_run}, chance {chance}, most_weight {most_weight}; "
                "more than 1, between 0 and 1, and at least 1 are needed"
            )
        known = checked_losses(losses)
        there = ~np.isnan(known)
        masks = checked_masks(slices, len(known))
        bounds = {name: most_mean(known[mask & there], chance / (2 * len(masks))) for name, mask in masks.items()}
        given = checked_masks(answers, len(known))
        share = chance / (1 + len(given))
        bound = most_mean(known[there], share)
        by_answer = {name: most_mean((known * mask)[there], share) for name, mask in given.items()}
        mean = float(known[there].mean()) if there.any() else 1.0
        by_slice = SliceLosses(bound, bounds, most_weight)
        parts = {name: known[mask & there] for name, mask in _parts(masks, given).items()}
        losses_of = {name: float(part.mean()) for name, part in parts.items() if len(part)}
        return cls(mean, int(there.sum()), by_slice, average_run, most_weight, by_answer, losses_of)

    def restart(self) -> None:
        """As if no label had come; with another model, or after something was done about an alarm."""
        count = len(self._answers)
        weights = np.repeat([0.5, *[0.5 / count] * count] if count else [1.0], len(ODDS)) / len(ODDS)
        self._detector = ShiryaevRoberts(weights, BEYOND * self.threshold * len(weights))
        self._recent = LastLosses(self._most_weight)
        self._slices.restart()
        self._rows = self._labels = 0
        self._total = self._weight = 0.0

    def update(
        self,
        losses: ArrayLike,
        weights: ArrayLike | None = None,
        slices: Slices | None = None,
        times: NDArray[np.int64] | None = None,
        passed: NDArray[np.float64] | None = None,
        answers: Slices | None = None,
    ) -> LabelResult:
        """Go on with these labels; it does not matter how they are spread over calls.

        Args:
            losses: (N,) within 0..1; NaN where there is no label after all.
            weights: (N,) within 0..`most_weight`; None: each sample had the same chance to be labelled.
            slices: as in `fit`; one that validation did not know is held against the bound of all.
            times: (N,) microseconds since 1970 UTC.
            answers: as in `fit`; what validation did not know counts among all alone.
            passed: (N,) 0 or more, of a run since the label before; None: 1, it is counted in labels.
        Raises: DataError: values outside of what is said here; nothing has changed.
        """
        given = checked_losses(losses)
        weighed = np.ones(len(given)) if weights is None else checked_weights(weights, len(given), self._most_weight)
        masks = checked_masks(slices, len(given))
        answered = checked_masks(answers, len(given))
        (there,) = np.nonzero(~np.isnan(given))
        known, weight = given[there], weighed[there]
        parts = {name: mask[there] for name, mask in _parts(masks, answered).items()}
        self._recent.add(self._rows + there, None if times is None else times[there], known, weight, parts)
        # However long no label came, the next one alone proves nothing.
        opened = None if passed is None else np.minimum(passed[there], max(1.0, self.threshold / LEAST_PROOF))
        bets = self._bets(known, weight, {name: mask[there] for name, mask in answered.items()})
        evidence = self._detector.add(bets, opened)
        beyond = evidence >= self.threshold if self.bound < 1 else np.zeros(len(known), np.bool_)
        alarm = self._rows + int(there[beyond.argmax()]) if beyond.any() else None
        self._slices.add(known, weight, {name: mask[there] for name, mask in masks.items()})
        self._rows += len(given)
        self._labels += len(known)
        self._total, self._weight = self._total + float(known @ weight), self._weight + float(weight.sum())
        now = float(self._detector.each.sum()) if self.bound < 1 else 0.0
        return LabelResult(
            loss=self._total / self._weight if self._weight else None,
            bound=self.bound,
            log_evidence=math.log(now) if now else -math.inf,
            log_threshold=math.log(self.threshold),
            alarm_row=alarm,
            erring=() if alarm is None else self._erring(),
            too_few=self.too_few,
        )

    def worse_slices(self, level: float = 0.05) -> tuple[WorseSlice, ...]:
        """Slices whose loss is above their bound, the clearest first; whenever one looks, of those that are named a
        share of `level` at most is named wrongly, in the mean.
        """
        return tuple(
            replace(each, erring=self._erring_of(each.name, _slice(each.name))) for each in self._slices.worse(level)
        )

    def still_right(self, margin: float, alpha: float = 0.05) -> StillRight:
        """Whether the mean loss since the start is at most `margin` above that of validation.

        Args: alpha: the probability that it is ever said wrongly, of one loss that does not change.
        """
        return judged_right(self._total, self._labels, self.loss + margin, alpha, self._most_weight)

    def state(self) -> dict[str, Any]:
        """Plain JSON: all that `update` has changed."""
        return {
            "of": self._of,
            "rows": self._rows,
            "labels": self._labels,
            "total": self._total,
            "weight": self._weight,
            "evidence": self._detector.state(),
            "recent": self._recent.state(),
            "slices": self._slices.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the test that gave this state would.

        Raises: DataError: that one had another validation.
        """
        if state["of"] != self._of:
            raise DataError("what the label test kept belongs to another validation; restart it")
        self._rows, self._labels = whole_number(state["rows"]), whole_number(state["labels"])
        self._total, self._weight = float(state["total"]), float(state["weight"])
        self._detector.restore(state["evidence"])
        self._recent.restore(state["recent"])
        self._slices.restore(state["slices"])

    def _bets(self, losses: Numbers, weights: Numbers, answered: Mapping[str, NDArray[np.bool_]]) -> Numbers:
        """(N, K): that all losses are more, then that those of each answer are, as a share of all rows."""
        none = np.zeros(len(losses), np.bool_)
        parts = [(losses * answered.get(name, none), bound) for name, bound in self._answers.items()]
        every = [(losses, self.bound), *parts]
        return np.concatenate([loss_bets(part, weights, bound, self._most_weight) for part, bound in every], axis=1)

    def _erring(self) -> tuple[Erring, ...]:
        owned = self._detector.each.reshape(-1, len(ODDS)).sum(axis=1)
        by_answer = dict(zip(self._answers, owned[1:].tolist(), strict=True))
        most = max(owned.tolist())
        shows = [name for name, own in by_answer.items() if own >= min(self.threshold, most)]
        if len(shows) == len(by_answer):
            shows = []
        shows.sort(key=lambda name: -by_answer[name])
        found = [self._recent.erring("", self.loss), *(self._erring_of(name, _answer(name)) for name in shows)]
        return tuple(each for each in found if each is not None)

    def _erring_of(self, name: str, part: str) -> Erring | None:
        """Of a part that validation did not know, held against all of it."""
        return self._recent.erring(name, self._losses.get(part, self.loss), part)


def _parts(
    slices: Mapping[str, NDArray[np.bool_]], answers: Mapping[str, NDArray[np.bool_]]
) -> dict[str, NDArray[np.bool_]]:
    return {_answer(name): mask for name, mask in answers.items()} | {
        _slice(name): mask for name, mask in slices.items()
    }


def _answer(name: str) -> str:
    return f"answer {name}"


def _slice(name: str) -> str:
    return f"slice {name}"
