"""Markdown that strangers' words cannot leave: every value stands in a code span or a fenced block.

In code, GitHub reads no HTML, link, mention or heading; so only the end of the code has to be kept out of reach.
"""

import re
from collections.abc import Sequence

from totalml.comparison.sections import Section
from totalml.values.shown import visible

_TICKS = re.compile(r"`+")


def code(text: str) -> str:
    """A code span that holds any text on one line."""
    text = visible(text)
    ticks = _fence(text, 1)
    # A space on both sides is taken off again when shown; without it a tick at an end would belong to the fence.
    space = " " if text.startswith("`") or text.endswith("`") or not text.strip() else ""
    return f"{ticks}{space}{text or ' '}{space}{ticks}"


def block(lines: Sequence[str], language: str = "diff") -> str:
    """A fenced block."""
    text = "\n".join(visible(line) for line in lines)
    ticks = _fence(text, 3)
    return f"{ticks}{language}\n{text}\n{ticks}"


def sections_as_markdown(sections: Sequence[Section]) -> str:
    parts = [_section(section) for section in sections]
    return "\n\n".join(parts) + "\n"


def _section(section: Section) -> str:
    word, colon, rest = section.title.partition(": ")
    title = f"**{word}**{f': {code(rest)}' if colon else ''}"
    return f"{title}\n\n{block(section.lines)}" if section.lines else title


def _fence(text: str, shortest: int) -> str:
    longest = max((len(run) for run in _TICKS.findall(text)), default=0)
    return "`" * max(shortest, longest + 1)
