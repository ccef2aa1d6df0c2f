"""Gates in words: for the terminal, the page and the model card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from totalml.report.number_format import IN_UNITS, SHARES, THIN, percent, points
from totalml.values.shown import counted

if TYPE_CHECKING:
    from totalml.evaluation.interval import Interval
    from totalml.gates.record import GateResult, Verdict

# A small recipe reaches what chance gives it; without a word its figures look like a failure.
SMOKE = "This is a smoke run: it proves that everything works; its figures mean nothing."
NO_GATES = "No gate says whether it may be released."
DIFFERENCES = ("gap", "sureness")  # how names of differences of shares end
RATES = (*SHARES, "selection_rate", "true_positive_rate", "false_positive_rate", "calibration", "false_alarms")
MINUS = "\N{MINUS SIGN}"
SHARE = "share"  # anywhere in a name
NAMED = 3  # gates in one sentence


def sentence(verdict: Verdict | None) -> str:
    """`It may be released: all 5 gates passed.`, or those that did not, by name."""
    if verdict is None or verdict.releasable:
        return brief(verdict)
    stopped = verdict.not_passed
    told = ", ".join(f"{gate.title} ({word(gate)})" for gate in stopped[:NAMED])
    more = f" and {len(stopped) - NAMED} more" if len(stopped) > NAMED else ""
    return f"{brief(verdict).removesuffix('.')}: {told}{more}."


def brief(verdict: Verdict | None) -> str:
    """The answer, and how many gates passed."""
    if verdict is None or not verdict.gates:
        return NO_GATES
    total = len(verdict.gates)
    if stopped := verdict.not_passed:
        return f"It may not be released: {len(stopped)} of {counted(total, 'gate')} did not pass."
    undecided = sum(gate.outcome == "undecided" for gate in verdict.gates)
    but = f", {undecided} of them undecided, which its recipe lets pass" if undecided else ""
    return f"It may be released: {'the only gate' if total == 1 else f'all {total} gates'} passed{but}."


def word(gate: GateResult) -> str:
    """`passed`, `failed`, or what an undecided one comes to."""
    if gate.outcome == "undecided":
        return "undecided, passes" if gate.passed else "undecided, fails"
    return gate.outcome


def reason(gate: GateResult) -> str:
    """The figure, what was asked of it, and what would decide it."""
    return found(gate) if gate.figure is None else f"asked for {bound(gate)}, found {found(gate)}"


def found(gate: GateResult) -> str:
    """The figure that decides it, how many there are besides, and whatever else there is to say."""
    parts = [_figure(gate), others(gate), gate.remark, would_decide(gate)]
    return "; ".join(part for part in parts if part)


def _figure(gate: GateResult) -> str:
    """`95.5 % (92.9 to 97.7 %)`; a difference with both of its sides."""
    if gate.figure is None:
        return ""
    named = f"{gate.figure} " if gate.figure != gate.condition["metric"] else ""
    if gate.value.value is None and gate.looked_at > 1:
        return ""
    if gate.ours is None or gate.theirs is None or gate.value.value is None:
        return f"{named}{measured(gate.figure, gate.value)}"
    sides = f"{measured(gate.figure, gate.ours)} against {measured(gate.figure, gate.theirs)} in production"
    return f"{named}{measured(gate.figure, gate.value, gap=True)}: {sides}"


def bound(gate: GateResult) -> str:
    """`at least 90 %`; against production, what the difference may be: `at least −2 points of production`."""
    condition, name = gate.condition, gate.figure or gate.condition["metric"]
    key = next(key for key in ("at_least", "at_most", "within") if condition[key] is not None)
    if isinstance(condition[key], str):
        value = -condition["margin"] if key == "at_least" else condition["margin"]
        return f"{key.replace('_', ' ')} {_amount(name, value, gap=True)} from production"
    return f"{key.replace('_', ' ')} {_amount(name, condition[key], gap=False)}"


def others(gate: GateResult) -> str:
    """How many other figures the gate looked at; empty if none."""
    if gate.looked_at < 2:
        return ""
    if gate.value.value is None:
        return f"none of {gate.looked_at} figures could be measured"
    if gate.outcome == "passed":
        return f"{gate.looked_at} figures, this is the nearest to the bound"
    return f"{gate.beyond} of {gate.looked_at} figures did not pass, this is the worst"


def would_decide(gate: GateResult) -> str:
    """What an undecided gate waits for."""
    if gate.outcome != "undecided" or gate.value.value is None:
        return ""
    if gate.would_decide is None:
        return "the figure lies on the bound itself"
    return f"about {_rounded(gate.would_decide):,} test samples would decide it"


def measured(name: str, figure: Interval, *, gap: bool = False) -> str:
    """Args: gap: it is the difference of two such figures."""
    if figure.value is None:
        return "not measured"
    if figure.low is None or figure.high is None:
        return _one(name, figure.value, gap=gap)
    low, high = (_one(name, end, gap=gap) for end in (figure.low, figure.high))
    for unit in (f"{THIN}%", " points"):
        low = low.removesuffix(unit) if high.endswith(unit) else low
    return f"{_one(name, figure.value, gap=gap)} ({low} to {high})"


def _one(name: str, value: float, *, gap: bool) -> str:
    if _is_difference(name) or (gap and _is_share(name)):
        return f"{points(value)} points"
    if _is_share(name):
        return percent(value)
    digits = "g" if name.startswith("quality.") else ".3f"
    return (f"{value:+{digits}}" if gap else f"{value:{digits}}").replace("-", MINUS)


def _amount(name: str, value: float, *, gap: bool) -> str:
    """A bound, as short as it was written."""
    if _is_difference(name) or (gap and _is_share(name)):
        return f"{100 * value:g} points".replace("-", MINUS)
    return f"{100 * value:g}{THIN}%" if _is_share(name) else f"{value:g}".replace("-", MINUS)


def _is_difference(name: str) -> bool:
    before, _, last = name.rpartition(".")
    return last in DIFFERENCES and before.rpartition(".")[2] not in IN_UNITS


def _is_share(name: str) -> bool:
    parts = name.split(".")
    return parts[-1] in RATES or SHARE in parts


def _rounded(count: int) -> int:
    """To two digits: it is a guess."""
    digits = max(0, len(str(count)) - 2)
    return -(-count // 10**digits) * 10**digits
