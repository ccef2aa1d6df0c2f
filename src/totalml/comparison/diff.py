"""Say what differs between two runs, recipes or git revisions: recipe by key, data by sample, code, environment,
execution, and metrics with intervals, as far as both sides have them.

  totalml diff guinness guinness_smoke                            two recipes as they stand
  totalml diff main:recipes/guinness.yaml recipes/guinness.yaml   a git revision, composed by its own code
  totalml diff 4f1c2a9b 4f1c2a9b-77d0e3a1/2                       two runs, or two attempts of one

A recipe's metrics are those of its latest finished run with the same config hash. It informs: the exit code is 0
whether or not something differs. A revision is composed by running its code.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from totalml.comparison.sections import Section
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    side = "a recipe or its file, REVISION:recipes/x.yaml, a run id or its start, <run id>/<attempt>, a run's folder"
    parser.add_argument("a", help=side)
    parser.add_argument("b", help="the same")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for scripts")
    form.add_argument("--markdown", action="store_true", help="for a comment or a note")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.comparison.compared import compare
    from totalml.comparison.markdown import sections_as_markdown
    from totalml.comparison.sections import sections
    from totalml.comparison.side import find_side

    comparison = compare(find_side(arguments.a, place), find_side(arguments.b, place), place)
    if arguments.json:
        print(json.dumps(comparison.as_json(), indent=2, ensure_ascii=False))
    elif arguments.markdown:
        print(sections_as_markdown(sections(comparison)), end="")
    else:
        print(as_text(sections(comparison)))
    return 0


def as_text(sections: Sequence[Section]) -> str:
    """Blocks with a title each, lines indented."""
    return "\n".join("\n".join([section.title, *(f"  {line}" for line in section.lines)]) for section in sections)
