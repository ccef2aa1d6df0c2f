"""What the quality checks found, with the pictures that show it."""

import numpy as np

from totalml.quality.report import Finding, QualityReport
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.pictures import thumbnails
from totalml.report.suites import suite_table
from totalml.values.shown import counted

MOST_FINDINGS = 20
SUITES = ("Deepchecks", "DeepchecksVision")
# Only so many are shown with pictures, so that a bad data set leaves room for the model's own.
MOST_PICTURED = 6
PER_FINDING = 8

Uris = dict[str, str]


def findings(content: ReportContent, budget_bytes: int) -> Html:
    """Draw them; all their pictures together fit the budget."""
    quality = content.quality
    title = tag("h3", "Quality checks")
    if not quality.checks and not quality.not_asked:
        return joined(title, tag("p", "The recipe asks for none."))
    names = ", ".join(dict.fromkeys(quality.checks))
    tables = [suite_table(suite) for suite in quality.suites]
    rest = tag("p", f"Not asked, because the features hold no pictures: {', '.join(quality.not_asked)}.")
    without = rest if quality.not_asked else ""
    if not quality.findings:
        return joined(title, tag("p", f"All passed: {names}.") if names else "", without, *tables)
    uris, size_px = _pictures(content, budget_bytes)
    listed = _listed(quality)
    shown = [_finding(finding, uris, size_px) for finding in listed[:MOST_FINDINGS]]
    more = len(listed) - len(shown)
    in_tables = len(quality.findings) - len(listed)
    return joined(
        title,
        tag("p", f"{counted(len(quality.findings), 'warning')} from {names}."),
        tag("ul", *shown, class_="findings"),
        tag("p", f"{more} more findings are in quality.json.") if more else "",
        tag("p", f"{in_tables} of the warnings are deepchecks' and stand in its tables below.") if in_tables else "",
        without,
        *tables,
    )


def _listed(quality: QualityReport) -> list[Finding]:
    """Without those of suites, which have a table."""
    return [finding for finding in quality.findings if not (quality.suites and finding.check in SUITES)]


def _pictures(content: ReportContent, budget_bytes: int) -> tuple[Uris, int]:
    """Picture of each sample that is shown, and the side of all of them in px."""
    named = [found.samples for found in _listed(content.quality)[:MOST_FINDINGS] if found.samples][:MOST_PICTURED]
    every = dict.fromkeys(id_ for samples in named for id_ in samples[:PER_FINDING])
    ids = [id_ for id_ in every if id_ in content.finding_rows]
    if content.pictures is None or not ids:
        return {}, 0
    rows = np.array([content.finding_rows[id_] for id_ in ids])
    small = thumbnails(content.pictures(rows), budget_bytes)
    return dict(zip(ids, small.uris, strict=False)), small.size_px


def _finding(finding: Finding, uris: Uris, size_px: int) -> Html:
    cards = [
        tag("li", tag("img", src=uris[id_], alt=f"Sample {id_[:80]}", width=size_px, height=size_px), title=id_[:160])
        for id_ in finding.samples[:PER_FINDING]
        if id_ in uris
    ]
    ids = [joined(" ", name_of(id_)) for id_ in finding.samples]
    return tag(
        "li",
        tag("b", finding.check),
        " ",
        tag("span", finding.message[:1000]),
        tag("ul", *cards, class_="evidence") if cards else "",
        tag("p", "Samples:", *ids, class_="ident") if ids else "",
    )
