"""What deepchecks said, check by check: of the data, and of the predictions."""

from collections import Counter

from totalml.quality.suites.record import ORDER, Suite
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, section, table, tag
from totalml.report.words import counted

LONGEST = 600  # characters of what a check says
MOST = 60  # rows
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
    lead = "A library's own questions about the predictions on the test split; what failed stands first in each table."
    return section("deepchecks", "What deepchecks says", tag("p", lead), *map(suite_table, found))


def suite_table(suite: Suite) -> Html:
    """Its title, how it came out, and a row for each condition."""
    title = tag("h3", f"{TITLES[suite.suite, suite.data]} ", tag("small", f"deepchecks, {suite.suite}"))
    if suite.not_run:
        return joined(title, tag("p", f"Not run: {suite.not_run}"))
    rows: list[list[str]] = [
        [one.check, one.condition or "–", _status(one.status), one.says[:LONGEST]] for one in suite.outcomes[:MOST]
    ]
    listed = table(_caption(suite), ["Check", "Condition", "Result", "What it says"], rows, "suite")
    more = f"{len(suite.outcomes) - MOST} more stand in the files beside this page. " if len(rows) == MOST else ""
    left_out = f"Not asked: {', '.join(suite.left_out)}. " if suite.left_out else ""
    page = f"Deepchecks' own page is {suite.html}, beside this one." if suite.html else ""
    text = f"{more}{left_out}{page}"
    return joined(title, listed, tag("p", text) if text else "")


def _caption(suite: Suite) -> str:
    counts = Counter(one.status for one in suite.outcomes)
    told = ", ".join(f"{counts[status]} {status}" for status in ORDER if counts[status])
    looked_at = f" on {counted(suite.samples, 'picture')}" if suite.samples is not None else ""
    return f"{told}{looked_at}"


def _status(status: str) -> Html:
    return tag("span", f"{MARKS[status]} {status}", class_=f"outcome {status.split()[0]}")
