"""Changed recipes as text, and as a comment on a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from totalml.comparison.diff import as_text as sections_as_text
from totalml.comparison.figures import paired_in_words
from totalml.comparison.markdown import code, sections_as_markdown
from totalml.comparison.sections import Section, metric_lines, recipe_section
from totalml.identity import short
from totalml.values.shown import SAME, counted, visible

if TYPE_CHECKING:
    from totalml.authoring.changes import RecipeChange
    from totalml.comparison.composed import Composed

MARK = "<!-- totalml recipe diff -->"  # how the workflow finds its own comment again
NONE = "No recipe changes its composed form."
LONGEST = 60_000  # characters; GitHub takes 65,536
MOST_MISTAKES = 20


def as_text(changes: Sequence[RecipeChange], base: str, commit: str) -> str:
    head = f"{_count(changes)} Compared with {visible(base)}, commit {commit[:12]}."
    blocks = [f"\n{_heading(change)}\n{sections_as_text(_sections(change))}" for change in changes]
    return "\n".join([head, *blocks]) + "\n"


def as_markdown(changes: Sequence[RecipeChange], base: str, commit: str) -> str:
    """At most LONGEST characters; recipes for which there is no room are named only."""
    text = f"{MARK}\n### Recipes\n\n{_count(changes)} Compared with {code(base)}, commit {code(commit[:12])}.\n"
    left_out = []
    for change in changes:
        part = f"\n#### {code(change.name)} {change.kind}{_hashes(change)}\n\n{sections_as_markdown(_sections(change))}"
        if len(text) + len(part) > LONGEST:
            left_out.append(change.name)
        else:
            text += part
    if left_out:
        named = ", ".join(code(name[:64]) for name in left_out[:MOST_MISTAKES])
        more = f" and {len(left_out) - MOST_MISTAKES} more" if len(left_out) > MOST_MISTAKES else ""
        text += f"\nToo long to show: {named}{more}. `totalml recipe diff` shows them.\n"
    return text


def _count(changes: Sequence[RecipeChange]) -> str:
    if not changes:
        return NONE
    return f"{counted(len(changes), 'recipe')} change{'s' if len(changes) == 1 else ''} in composed form."


def _heading(change: RecipeChange) -> str:
    return f"{visible(change.name)} {change.kind}{_hashes(change).replace('`', '')}"


def _hashes(change: RecipeChange) -> str:
    """Only hex digits of ours."""
    old, new = _hash(change.old), _hash(change.new)
    if not old or not new:
        return f", config {old or new}" if old or new else ""
    return f", config {old} → {new}" if old != new else f", config {old} unchanged"


def _hash(recipe: Composed) -> str:
    return f"`{short(recipe.config_hash)}`" if recipe.config_hash else ""


def _sections(change: RecipeChange) -> list[Section]:
    parts = [Section(f"Note: {change.note}")] if change.note else []
    if change.kind == "broken":
        return [*parts, _mistakes(change.new)]
    if change.keys:
        parts.append(recipe_section(change.keys, change.origins))
    if change.metrics:
        told = f"; {paired_in_words(change.paired)}" if change.paired else ""
        parts.append(Section(f"Metrics: from {change.measured}{told}", tuple(metric_lines(change.metrics))))
    elif change.kind == "changed" and change.old.config_hash != change.new.config_hash:
        parts.append(Section("Metrics: not measured on both sides"))
    return parts


def _mistakes(recipe: Composed) -> Section:
    lines = [SAME + visible(line) for line in recipe.mistakes[:MOST_MISTAKES]]
    more = len(recipe.mistakes) - MOST_MISTAKES
    return Section("Mistakes", (*lines, *([f"{SAME}and {more} more"] if more > 0 else [])))
