"""The data that the figures rest on: counts, what the checks found, what was left out."""

from collections.abc import Mapping

from totalml.report.content import ReportContent
from totalml.report.markup import Html, name_of, section, table, tag, with_bar
from totalml.report.number_format import percent
from totalml.values.shown import counted

SPLITS = ("train", "validation", "test")
MOST_LABELS = 60
MOST_SKIPPED = 20


def data(content: ReportContent, found: Html) -> Html:
    """Args: found: what the quality checks found."""
    return section("data", "The data", _counts(content), found, _skipped(content.skipped))


def _counts(content: ReportContent) -> Html:
    counts, totals = content.split_counts, content.split_sizes
    everything = sum(totals.values())
    order = list(counts)
    if len(order) > MOST_LABELS:
        order = sorted(counts, key=lambda label: -sum(counts[label].values()))[:MOST_LABELS]
    rows: list[list[str]] = [[name_of(label), *_row(counts[label], everything)] for label in order]
    rows.append(
        [tag("b", f"All {counted(len(counts), 'class')}" if len(counts) > 1 else "All"), *_row(totals, everything)]
    )
    caption, first = ("Samples by class and split", "Class") if counts else ("Samples by split", "")
    return table(caption, [first, "Train", "Validation", "Test", "All", "Share"], rows, "numbers")


def _row(counts: Mapping[str, int], everything: int) -> list[str]:
    total = sum(counts.get(split, 0) for split in SPLITS)
    share = total / everything if everything else 0.0
    return [*(f"{counts.get(split, 0):,}" for split in SPLITS), f"{total:,}", with_bar(share, percent(share))]


def _skipped(skipped: Mapping[str, str]) -> Html | str:
    if not skipped:
        return tag("p", "No sample was skipped.")
    rows: list[list[str]] = [[name_of(id_), reason[:300]] for id_, reason in list(skipped.items())[:MOST_SKIPPED]]
    more = len(skipped) - len(rows)
    caption = f"{counted(len(skipped), 'sample')} skipped" + (f", the first {len(rows)} of them" if more else "")
    return table(caption, ["Sample", "Reason"], rows)
