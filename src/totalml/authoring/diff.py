"""Every recipe whose composed form differs from a git revision, also through an edited file of conf/ or a default in
code: the keys, both config hashes, and the metrics old against new.

  totalml recipe diff main
  totalml recipe diff origin/main --markdown    for a comment on a pull request

It compares with the commit where this branch left the revision. Metrics come from finished runs of both config hashes,
or else from the committed golden files. It informs: the exit code is 0 whether or not something differs.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from totalml.project import Place


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", help="a git revision, such as main or HEAD")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="for scripts")
    form.add_argument("--markdown", action="store_true", help="for a comment on a pull request")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.authoring.changes import recipe_changes
    from totalml.authoring.comment import as_markdown, as_text

    before, changes = recipe_changes(arguments.base, place)
    if arguments.json:
        found = {"base": before.commit, "recipes": [change.as_json() for change in changes]}
        print(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        write = as_markdown if arguments.markdown else as_text
        print(write(changes, arguments.base, before.commit), end="")
    return 0
