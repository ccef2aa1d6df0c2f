"""Judge every gate on what lies in the folder of an attempt, so that it can be done again at any time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from totalml.component import plain
from totalml.evaluation.interval import Interval
from totalml.evaluation.record import Evaluation
from totalml.gates.against import Against, Difference
from totalml.gates.figures import figures_of, matching, may_be_missing, unknown
from totalml.gates.outcome import ORDER, Outcome, outcome, samples_to_decide, slack
from totalml.gates.record import GateResult, Verdict
from totalml.recipe import GateRecipe
from totalml.registry.record import Promotion

NONE = "nothing to judge: this run has no figure of that name"
FIRST = "nothing is in production yet"


@dataclass(frozen=True)
class _Looked:
    """One figure of a gate: what is compared with its bounds, and how that came out."""

    name: str
    compared: Difference
    outcome: Outcome
    slack: float


def judge(gates: Sequence[GateRecipe], folder: Path, production: Promotion | None) -> Verdict:
    """Args:
    folder: of an attempt that has been evaluated, beside those of all other runs of its recipe.
    production: what it is compared with, where a gate asks for that.
    """
    if not gates:
        return Verdict((), 0)
    evaluation = Evaluation.load(folder)
    figures = figures_of(folder, evaluation)
    theirs = production.folder(folder.parents[1]) if production else None
    against = Against(evaluation, figures, theirs) if theirs else None
    results = tuple(_judged(gate, figures, against, evaluation.count) for gate in gates)
    return Verdict(results, evaluation.count, production)


def _judged(gate: GateRecipe, figures: dict[str, Interval], against: Against | None, count: int) -> GateResult:
    names = matching(gate.metric, figures)
    known = GateResult(gate.title, "failed", False, None, Interval(None), plain(gate, where=True))
    if not names and may_be_missing(gate.metric):
        return replace(known, outcome="undecided", passed=gate.undecided == "pass", remark=NONE)
    if not names:
        return replace(known, remark=unknown(gate.metric, figures))
    if gate.compares and against is None:
        return replace(known, outcome="passed", passed=True, looked_at=len(names), remark=FIRST)
    low, high = gate.good
    looked = [_look(name, _compared(gate, name, figures, against), low, high) for name in names]
    # A group too small to be measured says nothing; where nothing is measured, nothing is shown.
    measured = [each for each in looked if each.compared.value.value is not None] or looked
    worst = min(measured, key=lambda each: (ORDER.index(each.outcome), each.slack))
    undecided, compared = worst.outcome == "undecided", worst.compared
    is_measured = compared.value.value is not None
    return replace(
        known,
        outcome=worst.outcome,
        passed=worst.outcome == "passed" or (undecided and gate.undecided == "pass"),
        figure=worst.name,
        value=compared.value,
        ours=compared.ours if gate.compares else None,
        theirs=compared.theirs,
        how=compared.how,
        looked_at=len(names),
        beyond=sum(each.outcome != "passed" for each in measured),
        would_decide=samples_to_decide(compared.value, low, high, count) if undecided and is_measured else None,
        remark=compared.remark or compared.value.note or "",
    )


def _compared(gate: GateRecipe, name: str, figures: dict[str, Interval], against: Against | None) -> Difference:
    if gate.compares and against is not None:
        return against.difference(name)
    return Difference(figures[name], figures[name])


def _look(name: str, compared: Difference, low: float, high: float) -> _Looked:
    if compared.value.value is None:
        return _Looked(name, compared, "undecided", 0.0)
    return _Looked(name, compared, outcome(compared.value, low, high), slack(compared.value, low, high))
