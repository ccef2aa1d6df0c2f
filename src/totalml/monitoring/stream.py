"""Whether what comes in is still like the reference, asked after every row, for as long as one likes.

Promised of a stream of independent samples like those of the reference: with probability 1 - `chance`, of the draw of
the reference, the mean number of rows until an alarm is at least `average_run`, and within n rows there is one with
probability n / `average_run` at most. Where samples have units, rows are units and days, of which each is drawn once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from totalml.errors import DataError
from totalml.identity import digest
from totalml.monitoring.change_point import change_from
from totalml.monitoring.conformal_bets import ALTERNATIVES, MISSING, Cuts, bets, least_count, useful
from totalml.monitoring.nonconformity import EMBEDDING, Nonconformity
from totalml.monitoring.once_per_unit import once_per_unit
from totalml.monitoring.recent import Recent, Since
from totalml.monitoring.shiryaev_roberts import ShiryaevRoberts
from totalml.monitoring.states import whole_number

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from totalml.monitoring.observations import Observations

    Numbers = NDArray[np.float64]

CHANCE = 0.01
ENOUGH = 100_000  # rows of a reference, drawn by chance; more make bets hardly better
CHUNK = 1024  # rows, of which all bets are held at once
BEYOND = 1000.0  # times the threshold; evidence grows no further, so that it goes within days once a change is over


@dataclass(frozen=True)
class ScoreMove:
    """Args:
    name: of the column; `unsure`, `all numbers`, `embedding`, `embedding 1` ...
    way: `higher`, `lower`, `wider`, `narrower` than in the reference, as the best of its bets tells.
    log_evidence: what that one won since its best row, natural logarithm.
    """

    name: str
    way: str
    log_evidence: float


@dataclass(frozen=True)
class _Found:
    moves: tuple[ScoreMove, ...] = ()
    since: Since = field(default_factory=Since)


@dataclass(frozen=True)
class StreamResult:
    """Args:
    log_evidence: after the last row; natural logarithm, -inf at the start.
    log_threshold: at which it is an alarm.
    alarm_row: the first of these rows at which it was one, counted from the start of the stream; None: at none.
    moves: the strongest, and those that would be an alarm alone; empty: there is none.
    since: when it began, counted so; looked for among the 2048 rows about the alarm; empty: there is none.
    too_few: how many rows, or units, the reference lacks before anything can be told; 0: none.
    """

    log_evidence: float
    log_threshold: float
    alarm_row: int | None
    moves: tuple[ScoreMove, ...]
    since: Since
    too_few: int

    @property
    def alarm(self) -> bool:
        return self.alarm_row is not None


class StreamTest:
    """As `fit` makes it; not for use by several threads at once."""

    def __init__(
        self, scores: Nonconformity, cuts: Mapping[str, Cuts], tables: Mapping[str, Numbers], run: float, seed: int
    ) -> None:
        """Args: tables: score -> (MISSING + 1, alternatives); only of those on which anything is bet."""
        self._scores, self._cuts, self._seed, self.threshold = scores, cuts, seed, run
        self._names = tuple(tables)
        self._tables = np.stack([*tables.values()]) if tables else np.ones((0, MISSING + 1, len(ALTERNATIVES)))
        made = (self._tables != 1).any(axis=1).ravel()
        self._weights = made / max(int(made.sum()), 1)
        self.too_few, self._of = 0, ""
        self.restart()

    @classmethod
    def fit(cls, reference: Observations, average_run: float, chance: float = CHANCE, seed: int = 0) -> Self:
        """Args:
        average_run: rows between two false alarms, in the mean, at least; more than 1.
        chance: with which the promise does not hold, of the draw of the reference.
        Raises: DataError: no such run or chance.
        """
        if not (1 < average_run < math.inf and 0 < chance < 1):
            raise DataError(f"average_run {average_run} has to be above 1, chance {chance} between 0 and 1")
        rng = np.random.default_rng([seed, 0])
        chosen = rng.permutation(once_per_unit(reference, rng))[:ENOUGH]
        reference = reference.take(np.sort(chosen))
        scores = Nonconformity.fit(reference, rng)
        values = scores.of(reference)
        each = chance / max(len(values), 1)
        cuts, tables, most = {}, {}, 0
        for name, column in values.items():
            usable = ~np.isnan(column) & ~(scores.learned & scores.is_learned(name))
            count = int(usable.sum())
            most = max(most, count)
            if useful(count, each).any():
                cuts[name] = Cuts.fit(column[usable], rng.random(count))
                tables[name] = bets(count, each)
        found = cls(scores, cuts, tables, average_run, seed)
        found.too_few = 0 if tables else least_count(each) - most
        found._of = _fingerprint(reference, chance, seed)
        return found

    def restart(self) -> None:
        """As if no row had come; after something was done about an alarm."""
        most = BEYOND * self.threshold / max(float(self._weights.max(initial=0.0)), 1e-9)
        self._detector = ShiryaevRoberts(self._weights, most)
        self._recent = Recent(codes=("uint8", (len(self._names),)))
        self._rows = 0

    def update(self, observations: Observations, before: StreamResult | None = None) -> StreamResult:
        """Go on with these rows. Of one unit and day only those of one call are known, so give whole days where there
        are units; without units it does not matter how rows are spread over calls.

        Args: before: what it said of rows that are looked at as one with these; an alarm in it stays the first one.
        """
        chosen = once_per_unit(observations, np.random.default_rng([self._seed, 1, self._rows]))
        codes = self._codes(observations if len(chosen) == observations.count else observations.take(chosen))
        rows = self._rows + chosen
        times = None if observations.times is None else observations.times[chosen]
        alarm, found = (None, _Found()) if before is None else (before.alarm_row, _Found(before.moves, before.since))
        for start in range(0, len(chosen), CHUNK):
            part = slice(start, start + CHUNK)
            evidence = self._detector.add(self._bets(codes[part]))
            self._recent.add(rows[part], None if times is None else times[part], codes=codes[part])
            if alarm is None and (beyond := evidence >= self.threshold).any():
                alarm, found = int(rows[part][beyond.argmax()]), self._found()
        self._rows += observations.count
        return StreamResult(
            log_evidence=_log(float(self._detector.each.sum())),
            log_threshold=math.log(self.threshold),
            alarm_row=alarm,
            moves=found.moves,
            since=found.since,
            too_few=self.too_few,
        )

    def state(self) -> dict[str, Any]:
        """Plain JSON: all that `update` has changed."""
        return {
            "of": self._of,
            "rows": self._rows,
            "evidence": self._detector.state(),
            "recent": self._recent.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the test that gave this state would.

        Raises: DataError: that one had another reference, or other settings.
        """
        if state["of"] != self._of:
            raise DataError("what the stream test kept belongs to another reference or other settings; restart it")
        self._rows = whole_number(state["rows"])
        self._detector.restore(state["evidence"])
        self._recent.restore(state["recent"])

    def _codes(self, observations: Observations) -> NDArray[np.uint8]:
        """(N, scores)"""
        bits = np.random.PCG64([self._seed, 2])
        bits.advance(self._detector.rows)
        ties = np.random.Generator(bits).random(observations.count)
        values = self._scores.of(observations)
        columns = [self._cuts[name].codes(values[name], ties) for name in self._names]
        return np.stack(columns, axis=1) if columns else np.zeros((observations.count, 0), np.uint8)

    def _bets(self, codes: NDArray[np.uint8]) -> Numbers:
        """(N, scores * alternatives)"""
        rows = self._tables.reshape(-1, len(ALTERNATIVES))
        starts = np.arange(len(self._names)) * (MISSING + 1)
        return rows[codes + starts].reshape(len(codes), -1)

    def _found(self) -> _Found:
        """By what each bet would have won had it been opened at the best of the last rows."""
        codes, moves = self._recent["codes"], []
        for score, name in enumerate(self._names):
            won = np.cumsum(np.log(self._tables[score])[codes[::-1, score]], axis=0).max(axis=0)
            moves.append(ScoreMove(name, ALTERNATIVES[int(won.argmax())][0], float(won.max())))
        moves.sort(key=lambda move: -move.log_evidence)
        alone = math.log(self.threshold * max(int((self._weights > 0).sum()), 1))
        named = tuple(each for each in moves[1:] if each.log_evidence >= alone)
        return _Found((moves[0], *named), self._since(moves[0].name))

    def _since(self, name: str) -> Since:
        codes, chances = self._recent["codes"][:, self._names.index(name)], self._cuts[name].chances
        (there,) = np.nonzero(codes != MISSING)
        change = change_from(chances, np.eye(len(chances))[codes[there]])
        return self._recent.dated(change, there)


def _log(value: float) -> float:
    return math.log(value) if value else -math.inf


def _fingerprint(reference: Observations, *settings: float) -> str:
    """Of what was given, since what is learned from it may differ in its last digits between machines."""
    named = [*reference.scores.items(), *reference.numbers.items(), (EMBEDDING, reference.embeddings)]
    given = [each for name, values in named if values is not None for each in (name.encode(), values.tobytes())]
    return digest("stream test v1", b"\0".join([*given, repr(settings).encode()]))
