"""Whether the model may be released, and why."""

from __future__ import annotations

from totalml.gates.record import GateResult, Verdict
from totalml.report.content import ReportContent
from totalml.report.gate_words import bound, measured, others, sentence, word, would_decide
from totalml.report.markup import Html, joined, name_of, section, table, tag
from totalml.values.shown import counted

MOST_ROWS = 60
REMARK = 300


def release(verdict: Verdict | None) -> Html:
    """The one plain sentence for the first screen; the answer stands out."""
    lead, colon, rest = sentence(verdict).partition(":")
    stopped = None if verdict is None or verdict.releasable else "stopped"
    return joined(tag("strong", lead, class_=stopped), colon, rest) if colon else joined(lead)


def gates(content: ReportContent) -> Html | str:
    verdict = content.verdict
    if verdict is None or not verdict.gates:
        return ""
    explained = (
        "Conditions that the recipe declares before anything is measured. A gate passes if the whole interval is on "
        "the right side, and fails if it is on the wrong one. On both sides it is undecided; the recipe says what that "
        "means."
    )
    caption = f"{counted(len(verdict.gates), 'gate')}, on {counted(verdict.count, 'test sample')}"
    rows = [_row(gate) for gate in verdict.gates[:MOST_ROWS]]
    return section(
        "gates",
        "May it be released?",
        tag("p", release(verdict)),
        tag("p", explained),
        table(caption, ["Gate", "Verdict", "Figure", "Asked for", "What else"], rows, "gates"),
        _compared(verdict),
    )


def _row(gate: GateResult) -> list[str]:
    shown = joined("\N{CHECK MARK} " if gate.passed else "\N{BALLOT X} ", word(gate))
    parts = [others(gate), gate.remark, would_decide(gate)]
    remark = "; ".join(part[:REMARK] for part in parts if part)
    verdict = joined(shown) if gate.passed else tag("strong", shown, class_="stopped")
    return [name_of(gate.title), verdict, _figure(gate), bound(gate), tag("small", remark)]


def _figure(gate: GateResult) -> Html:
    if gate.figure is None or gate.value.value is None:
        return joined("–")
    name = tag("small", name_of(gate.figure)) if gate.figure != gate.condition["metric"] else ""
    if gate.ours is None or gate.theirs is None:
        return joined(measured(gate.figure, gate.value), name)
    sides = f"{measured(gate.figure, gate.ours)} here, {measured(gate.figure, gate.theirs)} in production"
    return joined(measured(gate.figure, gate.value, gap=True), tag("small", sides), name)


def _compared(verdict: Verdict) -> Html | str:
    if (production := verdict.production) is None:
        return ""
    since = f", there since {production.when[:16].replace('T', ' ')} UTC"
    return tag("p", "In production when this was judged: ", tag("code", production.version), since, ".")
