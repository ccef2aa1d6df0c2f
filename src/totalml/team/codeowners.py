"""Write who owns which files into .github/CODEOWNERS, by which GitHub asks for their review of a pull request.

  totalml team codeowners            after a change of team.yaml
  totalml team codeowners --check    in a pull request: exit code 2, and a diff, if it is not what team.yaml gives

Lines of yours above those that it writes stay. Of several that fit a file, GitHub takes the last one.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.compose.section_file import origins_of, read_values
from totalml.errors import RecipeError
from totalml.team.read import TEAM_FILE, read_team

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.team.team import TeamFile

CODEOWNERS = ".github/CODEOWNERS"
MARK = f"# From here on made of {TEAM_FILE} by `totalml team codeowners`; change that file, not these lines."
OWNING = ("owner", "reviewers")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing, say whether it is up to date")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.store.atomic import write_atomically

    if (team := read_team(place.project)) is None:
        raise RecipeError(f"command line: there is no {TEAM_FILE} in {place.project}; `owner: NAME` is a beginning")
    file = place.project / CODEOWNERS
    if not file.resolve().is_relative_to(place.project.resolve()):
        raise RecipeError(f"command line: {CODEOWNERS} leads out of the project {place.project}")
    before = _text(file)
    text = before.partition(MARK)[0] + codeowners_text(team, place.project)
    if text == before:
        print(f"{CODEOWNERS} is what {TEAM_FILE} gives")
    elif arguments.check:
        diff = unified_diff(before.splitlines(), text.splitlines(), CODEOWNERS, TEAM_FILE, lineterm="")
        wanted = f"{CODEOWNERS} is not what {TEAM_FILE} gives; totalml team codeowners writes it"
        raise RecipeError(wanted, *diff)
    else:
        file.parent.mkdir(exist_ok=True)
        write_atomically(file, text.encode())
        print(f"wrote {CODEOWNERS}")
    return 0


def codeowners_text(team: TeamFile, project: Path) -> str:
    """From the mark on.

    Raises: RecipeError: files would have no owner whom GitHub knows, all of them; or a deployment has mistakes.
    """
    lines, unknown = [MARK], set[str]()
    ownerless: dict[tuple[str, str], list[str]] = {}  # role and model -> paths
    for path, roles, model in _owned(team, project):
        persons = dict.fromkeys(person for role in roles for person in _persons(team, role, model))
        names = {person: _name(team, person) for person in persons}
        unknown |= {person for person, name in names.items() if not name}
        if any(names.values()):
            lines.append(f"{path} {' '.join(filter(None, names.values()))}")
        else:
            ownerless.setdefault((roles[0], model), []).append(path)
    if ownerless:
        raise RecipeError(*(_mistake(team, *whose, paths, project) for whose, paths in ownerless.items()))
    if unknown:
        lines.insert(1, f"# Without handle or mail there, and so not named: {', '.join(sorted(unknown))}")
    return "\n".join(lines) + "\n"


def _owned(team: TeamFile, project: Path) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """Path, whose it is by role, and of which model's team."""
    yield f"/{TEAM_FILE}", ("owner",), ""
    yield f"/{CODEOWNERS}", ("owner",), ""
    yield "/recipes/", OWNING, ""
    for model in sorted(team.models):
        if any(_persons(team, role, model) != _persons(team, role) for role in OWNING):
            yield f"/recipes/{model}.yaml", OWNING, model
            yield f"/recipes/{model}/", OWNING, model
    yield "/deployments/", ("may_deploy",), ""
    for file in sorted((project / "deployments").glob("*.y*ml")):
        name = f"deployments/{file.name}"
        model = str(read_values(file, name, "deployment").get("model"))
        if _persons(team, "may_deploy", model) != _persons(team, "may_deploy"):
            yield f"/{name}".replace(" ", "\\ "), ("may_deploy",), model


def _persons(team: TeamFile, role: str, model: str = "") -> tuple[str, ...]:
    found = getattr(team.of(model), role)
    return (found,) if isinstance(found, str) else tuple(found)


def _name(team: TeamFile, person: str) -> str:
    """As GitHub knows them; empty: it does not."""
    contact = team.people.get(person)
    return (contact.handle or contact.mail or "") if contact else ""


def _mistake(team: TeamFile, role: str, model: str, paths: list[str], project: Path) -> str:
    line = origins_of(project / TEAM_FILE, TEAM_FILE).written(team.written(role, model))
    person = _persons(team, role, model)[0]
    return (
        f"{line}: GitHub would know no owner of {', '.join(paths)}; give a handle or a mail, such as "
        f"`people: {{{person}: {{handle: '@{person}'}}}}`"
    )


def _text(file: Path) -> str:
    """Empty: it is not there. Raises: RecipeError: it cannot be read."""
    try:
        return file.read_text(encoding="utf-8") if file.exists() else ""
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{CODEOWNERS}: cannot be read: {error}") from error
