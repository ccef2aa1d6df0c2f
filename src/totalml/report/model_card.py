"""Write `MODEL_CARD.md`: what the model is for, how good it is and for whom less, in words and for Hugging Face."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from totalml.component import plain
from totalml.evaluation.interval import Interval
from totalml.gates.figures import figures_of
from totalml.recipe import Recipe
from totalml.report.content import ReportContent
from totalml.report.fairness import gap_in_words
from totalml.report.front_matter import front_matter
from totalml.report.gate_words import SMOKE, bound, brief, found, measured, word
from totalml.report.markdown import code, listed, table, text
from totalml.report.measured import measured_on
from totalml.report.number_format import figure, interval, percent, title
from totalml.report.plan import sentence
from totalml.report.slices import in_words
from totalml.report.task_parts import parts_of
from totalml.runs.attempt import CARD_FILE
from totalml.store.atomic import write_atomically
from totalml.values.shown import counted

MOST_ROWS = 40
SMALL_TEST = 1000  # samples; below it, the card warns of chance
LOOKS = "explanation."
STRAINS = ("robustness.", "out_of_distribution.")


def write_model_card(folder: Path, content: ReportContent, recipe: Recipe) -> Path:
    """Write the card beside the records that it is made from."""
    figures = figures_of(folder, content.evaluation)
    path = folder / CARD_FILE
    write_atomically(path, model_card(content, recipe, figures).encode())
    return path


def model_card(content: ReportContent, recipe: Recipe, figures: Mapping[str, Interval]) -> str:
    """Args: figures: everything that was measured, by name."""
    sections = {
        "What it does": _purpose(content, recipe),
        "How good it is": _quality(content),
        "For whom less": _groups(content),
        "What it looks at": _figures(figures, (LOOKS,)) or "This run did not measure what the model looks at.",
        "On worse and on other pictures": _figures(figures, STRAINS),
        "What to do with the levers": _plan(content),
        "May it be released?": _gates(content),
        "Data": _data(content, recipe),
        "Make it again": _again(content),
        "Limits": _limits(content, recipe),
    }
    parts = [f"## {title}\n\n{body}" for title, body in sections.items() if body]
    warning = [f"**{SMOKE}**"] if content.smoke else []
    head = [f"# {text(content.name)}", *warning, f"**{text(_lead(content))}**"]
    return "\n".join([front_matter(content, recipe), "\n\n".join([*head, *parts]), ""])


def _lead(content: ReportContent) -> str:
    return f"{parts_of(content).lead(content)} {brief(content.verdict)}"


def _purpose(content: ReportContent, recipe: Recipe) -> str:
    question = content.description.partition("\n")[0].strip()
    lines = [text(question)] if question else []
    lines.append(text(parts_of(content).purpose(content, MOST_ROWS)))
    if recipe.card.intended_use:
        lines.append(f"Meant for: {text(recipe.card.intended_use)}")
    return "\n\n".join(lines)


def _quality(content: ReportContent) -> str:
    evaluation, unit = content.evaluation, content.evaluation.unit
    rows = [
        [
            title(name),
            figure(name, one.value, unit) if one.value is not None else "not defined",
            interval(name, one, unit),
        ]
        for name, one in evaluation.metrics.items()
    ]
    bounds = f"{percent(evaluation.confidence, 0)} interval"
    return f"{measured_on(evaluation, content.noun)}.\n\n{table(['Figure', 'Value', bounds], rows)}"


def _groups(content: ReportContent) -> str:
    slices, fairness = content.evaluation.slices, content.evaluation.fairness
    told = [
        f"{text(one.name)}: {in_words(slices, one, content.evaluation, content.noun)}"
        for one in (slices.worse() if slices else [])
        if slices
    ]
    told += [
        f"{text(one.group)}: {text(one.label)}, {one.figure.replace('_', ' ')} {gap_in_words(content.evaluation, one)}"
        for one in (fairness.gaps() if fairness else [])
    ]
    if told:
        return f"Clearly worse, or treated otherwise:\n\n{listed(told[:MOST_ROWS])}"
    looked_at = (slices.looked_at if slices else 0) + (fairness.looked_at if fairness else 0)
    if not looked_at:
        return "No groups were compared."
    size = counted(content.evaluation.count, content.noun)
    return f"Of {counted(looked_at, 'comparison')} between groups none is clear, as far as {size} can tell."


def _plan(content: ReportContent) -> str:
    return text(sentence(content.plan)) if content.plan else ""


def _figures(figures: Mapping[str, Interval], families: tuple[str, ...]) -> str:
    found = [name for name in figures if name.startswith(families)]
    rows = [[text(name), measured(name, figures[name])] for name in found[:MOST_ROWS]]
    return table(["Figure", "Value"], rows) if rows else ""


def _gates(content: ReportContent) -> str:
    verdict = content.verdict
    if verdict is None or not verdict.gates:
        return brief(verdict)
    rows = [[text(gate.title), word(gate), text(bound(gate)), text(found(gate))] for gate in verdict.gates]
    against = verdict.production
    compared = f"\n\nIn production when this was judged: {code(against.version)}." if against else ""
    return f"{brief(verdict)}\n\n{table(['Gate', 'Verdict', 'Asked for', 'Found'], rows)}{compared}"


def _data(content: ReportContent, recipe: Recipe) -> str:
    source = plain(recipe.data.source, where=True)
    lines = [
        f"Data hash: {code(content.data_hash)}",
        f"Source: {code(source['_target_'])}",
        f"Samples: {', '.join(f'{split} {count:,}' for split, count in content.split_sizes.items())}",
        f"Left out as unusable: {len(content.skipped):,}",
        f"Warnings of the quality checks: {len(content.quality.findings):,}",
    ]
    return listed(lines)


def _again(content: ReportContent) -> str:
    facts = {"Run": content.run_id, "Config hash": content.config_hash, **content.environment}
    return f"{code(content.command)}\n\n{listed([f'{text(name)}: {code(value)}' for name, value in facts.items()])}"


def _limits(content: ReportContent, recipe: Recipe) -> str:
    evaluation = content.evaluation
    limits = [text(limit) for limit in recipe.card.limits]
    limits.append(f"The figures hold for {content.noun}s like those of the test split; others were not tried.")
    if evaluation.facts < SMALL_TEST:
        few = counted(evaluation.facts, f"test {evaluation.fact}")
        limits.append(f"{few} are few: differences within the intervals may be chance.")
    best = evaluation.metrics.get("best_possible_accuracy")
    if best is not None and best.value is not None and best.value < 1:
        limits.append(f"Only {percent(best.value)} of the test labels are true, so no model can count on more.")
    if evaluation.slices and evaluation.slices.too_small:
        names = ", ".join(text(name) for name in evaluation.slices.too_small[:MOST_ROWS])
        limits.append(f"Too few to say anything about: {names}.")
    return listed(limits)
