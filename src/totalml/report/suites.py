"""What deepchecks said, check by check: of the data, and of the predictions."""

from collections import Counter
from collections.abc import Sequence

from totalml.quality.suites.record import AFTER_TRAINING, ORDER, Outcome, Suite
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, section, table, tag
from totalml.values.shown import counted

LONGEST = 600  # characters of what a check says
MOST = 60  # rows of a table
TITLES = {
    ("data_integrity", "tabular"): "Table: integrity",
    ("data_integrity", "vision"): "Pictures: integrity",
    ("train_test_validation", "tabular"): "Table: train against test",
    ("train_test_validation", "vision"): "Pictures: train against test",
    ("model_evaluation", "tabular"): "Predictions beside the table",
    ("model_evaluation", "vision"): "Predictions beside the pictures",
}
MARKS = {
    "failed": "\N{BALLOT X}",
    "warned": "!",
    "could not run": "?",
    "passed": "\N{CHECK MARK}",
    "not judged": "\N{EN DASH}",
}


def suites(content: ReportContent) -> Html | str:
    """Its own section, on the predictions."""
    found = content.suites.suites if content.suites else ()
    if not found:
        return ""
    lead = "A library's own questions about the predictions on the test split. Conditions that held are folded away."
    return section("deepchecks", "What deepchecks says", tag("p", lead), *map(suite_table, found))


def suite_table(suite: Suite) -> Html:
    """Its title, how it came out, and a row for each condition; those without fault are folded away."""
    title = tag("h3", f"{TITLES[suite.suite, suite.data]} ", tag("small", f"deepchecks, {suite.suite}"))
    if suite.not_run:
        return joined(title, tag("p", f"Not run: {suite.not_run}"))
    wrong, rest = suite.of("failed", "warned", "could not run"), suite.of("passed", "not judged")
    name = TITLES[suite.suite, suite.data]
    shown = _table(f"{name}: {_counts(wrong)}", wrong) if wrong else tag("p", "No condition failed.")
    folded = tag("details", tag("summary", _counts(rest)), _table(f"{name}: {_counts(rest)}", rest)) if rest else ""
    looked_at = f"Looked at {counted(suite.samples, 'picture')}. " if suite.samples is not None else ""
    why = " (by the recipe, or because it compares with predictions on train, which no run keeps)"
    why = why if suite.suite == AFTER_TRAINING else ""
    left_out = f"Not asked{why}: {', '.join(suite.left_out)}. " if suite.left_out else ""
    page = f"Deepchecks' own page is {suite.html}, beside this one." if suite.html else ""
    text = f"{looked_at}{left_out}{page}"
    return joined(title, shown, folded, tag("p", text, class_="lead") if text else "")


def _table(caption: str, outcomes: Sequence[Outcome]) -> Html:
    rows: list[list[str]] = [
        [one.check, _status(one.status), one.condition or "–", one.says[:LONGEST]] for one in outcomes[:MOST]
    ]
    more = f"; the first {MOST}, the files beside this page hold all" if len(outcomes) > MOST else ""
    return table(f"{caption}{more}", ["Check", "Result", "Condition", "What it says"], rows, "suite")


def _counts(outcomes: Sequence[Outcome]) -> str:
    counts = Counter(one.status for one in outcomes)
    return ", ".join(f"{counts[status]} {status}" for status in ORDER if counts[status])


def _status(status: str) -> Html:
    return tag("span", f"{MARKS[status]} {status}", class_=f"outcome {status.split()[0]}")
