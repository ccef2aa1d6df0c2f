"""Write `report.html`: one file, no network, no script, always under 950 KB.

The text comes first; pictures take what it leaves of the limit.
"""

from pathlib import Path

from totalml.report.content import ReportContent
from totalml.report.data import data
from totalml.report.document import document
from totalml.report.explanation import explanation
from totalml.report.fairness import fairness
from totalml.report.findings import findings
from totalml.report.first_pictures import first_pictures
from totalml.report.gate_words import SMOKE
from totalml.report.gates import gates
from totalml.report.learning import learning
from totalml.report.markup import Html, joined, name_of, section, tag
from totalml.report.out_of_distribution import out_of_distribution
from totalml.report.plan import plan
from totalml.report.reproduction import reproduction
from totalml.report.robustness import robustness
from totalml.report.slices import slices
from totalml.report.suites import suites
from totalml.report.summary import summary
from totalml.report.task_parts import parts_of

LIMIT_BYTES = 950_000
LONGEST_DESCRIPTION = 3_000
# Text beyond this is left out, largest section first, so that there is always room for pictures.
TEXT_BYTES = 250_000
FINDINGS_PART = 5  # a fifth of what pictures may take goes to those that quality checks found
FIRST_PART = 6  # a sixth to those of the first screen
EXPLAINED_PART = 3  # a third to those with what the model looked at
WORSE_PART, STRANGE_PART = 8, 12  # and an eighth to worse ones, a twelfth to strange ones
TITLES = {
    "summary": "Summary",
    "plan": "Plan",
    "gates": "Gates",
    "explanation": "What it looked at",
    "wrong": "Most wrong",
    "slices": "Slices",
    "fairness": "Groups of people",
    "samples": "Samples",
    "robustness": "Worse pictures",
    "strange": "Strange pictures",
    "deepchecks": "Deepchecks",
    "learning": "Learning",
    "data": "Data",
    "again": "Make it again",
}


def write_report(folder: Path, content: ReportContent) -> Path:
    """Write `folder/report.html`, whole or not at all, and return its path."""
    from totalml.store.atomic import write_atomically

    path = folder / "report.html"
    write_atomically(path, render(content))
    return path


def render(content: ReportContent) -> bytes:
    """The page as UTF-8, fewer than `LIMIT_BYTES`."""
    sections = _sections(content, 0)
    left_out = _largest(sections)
    page = _page(content, sections, left_out).encode()
    budget = LIMIT_BYTES - len(page)
    for _ in range(3):
        pictured = _page(content, _sections(content, budget), left_out).encode()
        if len(pictured) < LIMIT_BYTES:
            return pictured
        # A picture also brings its tag and its text.
        budget -= len(pictured) - LIMIT_BYTES + 1
    return page


def _sections(content: ReportContent, budget_bytes: int) -> dict[str, Html]:
    """Args: budget_bytes: for all pictures."""
    found = findings(content, budget_bytes // FINDINGS_PART)
    looked, worse, strange = (
        shown(content, budget_bytes // part)
        for shown, part in (
            (explanation, EXPLAINED_PART),
            (robustness, WORSE_PART),
            (out_of_distribution, STRANGE_PART),
        )
    )
    without = (shown(content, 0) for shown in (findings, explanation, robustness, out_of_distribution))
    spent = sum(map(len, (found, looked, worse, strange))) - sum(map(len, without))
    first = first_pictures(content, budget_bytes // FIRST_PART)
    parts = parts_of(content)
    pictures = parts.gallery(content, budget_bytes - spent - len(first))
    sections: dict[str, Html | str] = {
        "summary": summary(content, first, pictures.glance),
        "plan": plan(content),
        "gates": gates(content),
        "explanation": looked,
        "wrong": pictures.wrong,
        **parts.sections(content),
        "slices": slices(content),
        "fairness": fairness(content),
        "samples": pictures.samples,
        "robustness": worse,
        "strange": strange,
        "deepchecks": suites(content),
        "learning": learning(content),
        "data": data(content, found),
        "again": reproduction(content),
    }
    return {key: joined(shown) for key, shown in sections.items() if shown}


def _largest(sections: dict[str, Html]) -> set[str]:
    """The sections to leave out so that the others stay within `TEXT_BYTES`."""
    sizes = {key: len(shown.encode()) for key, shown in sections.items() if key != "summary"}
    left_out: set[str] = set()
    while sizes and sum(sizes.values()) > TEXT_BYTES:
        left_out.add(largest := max(sizes, key=sizes.__getitem__))
        del sizes[largest]
    return left_out


def _page(content: ReportContent, sections: dict[str, Html], left_out: set[str]) -> Html:
    title, _, description = content.description.strip()[:LONGEST_DESCRIPTION].partition("\n")
    header = tag(
        "header",
        tag("p", "Total ML · ", name_of(content.name), " · ", tag("code", content.run_id), class_="eyebrow"),
        tag("h1", title or content.name),
        tag("p", tag("strong", SMOKE)) if content.smoke else "",
        *(tag("p", " ".join(part.split()), class_="lead") for part in description.split("\n\n") if part.strip()),
    )
    titles = TITLES | dict(parts_of(content).titles)
    shown = {
        key: (titles[key], _too_large(key, titles[key]) if key in left_out else part) for key, part in sections.items()
    }
    return document(title or content.name, header, shown)


def _too_large(key: str, title: str) -> Html:
    text = "Left out, because it would make this page too large. The files beside it hold everything."
    return section(key, title, tag("p", text))
