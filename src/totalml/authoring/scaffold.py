"""What stands in the files of a new recipe."""

from __future__ import annotations

from dataclasses import dataclass

PHOTOS = "photos"  # the parent of a recipe that inherits none: your own photos, in one folder per class


@dataclass(frozen=True)
class Plan:
    """Args:
    parent: the recipe it inherits; None: the defaults of conf/.
    needs: keys that the command line must give.
    smoke: the parent is one, so the new recipe is small enough for its test to run it.
    """

    name: str
    question: str
    parent: str | None
    needs: tuple[str, ...] = ()
    smoke: bool = False

    @property
    def command(self) -> str:
        values = "".join(f" {key}=..." for key in self.needs)
        return f"python run.py +recipe={self.name}{values}"


def recipe_text(plan: Plan) -> str:
    data = f"as in recipes/{plan.parent}.yaml" if plan.parent else "your photos, in one folder per class"
    defaults = [plan.parent, "_self_"] if plan.parent else ["override /data: image_folder"]
    # A recipe marked so is run by every check; its author decides that it is worth it.
    smoke = ["", "smoke: false  # true: `totalml recipe check` and tests/recipes run it"] if plan.smoke else []
    return _lines(
        f"# {plan.question}",
        "#",
        f"# Data    {data}",
        "# Expect  not measured yet; the figures of the closing table go here, with the machine they come from",
        f"# Run     {plan.command}",
        "defaults:",
        *(f"  - {entry}" for entry in defaults),
        "",
        f"name: {plan.name}",
        f"question: {_quoted(plan.question)}",
        *smoke,
        *([] if plan.parent else _GATES),
        "",
        "monitoring:",
        "  false_alarms_per_year: 2  # that people are ready to look into; team.yaml says who",
        *([] if plan.parent else _REVIEW),
    )


def team_text(user: str) -> str:
    """Of a project that has none."""
    name = _quoted(user)
    return _lines(
        "# Who does what, by the names of the machine's users; docs/playbook.md. To see it whole: totalml team",
        f"owner: {name}",
        "reviewers: []  # judge recipes, and what a model said",
        f"may_promote: [{name}]",
        f"may_deploy: [{name}]  # also the user of what deploys on merge, such as runner",
        "told:",
        f"  all: [{name}]  # or by verdict, such as concept",
    )


def card_text(plan: Plan) -> str:
    origin = f"The recipe inherits [{plan.parent}](../{plan.parent}.yaml)" if plan.parent else "Your own photos"
    return _lines(
        f"# {plan.name}",
        "",
        f"**Question.** {plan.question}",
        "",
        "```bash",
        plan.command,
        "```",
        "",
        "## Data",
        "",
        f"{origin}. Where the samples come from, who labelled them, and what is known to be wrong with them.",
        "",
        "## What a model can reach",
        "",
        "Not measured yet. The metrics with their intervals, and the machine they were measured on.",
        "",
        "## Limits",
        "",
        "What the model must not be used for, and on whom it was never tested.",
    )


def test_text(plan: Plan) -> str:
    """A test module that ruff leaves as it is."""
    run = _RUN_TEST if plan.smoke else ""
    needed = "from totalml.runner import run\n" if plan.smoke else ""
    given = f"GIVEN = [{', '.join(_quoted(f'{key}={PHOTOS}') for key in plan.needs)}]\n" if plan.needs else ""
    arguments = f'"+recipe={plan.name}"' + (", *GIVEN" if plan.needs else "")
    where = ", *where" if plan.smoke else ""
    signature = "*where: str" if plan.smoke else ""
    return f'''"""The recipe {plan.name} composes to what was reviewed.

After a change that is meant: python -m pytest tests/recipes/test_{plan.name}.py --force-regen
"""

from pathlib import Path

from totalml.compose import compose_recipe
from totalml.identity import config_hash
from totalml.recipe import Recipe, what
{needed}
REPOSITORY = Path(__file__).parents[2]
{given}

def composed({signature}) -> Recipe:
    return compose_recipe(REPOSITORY, [{arguments}{where}])


def test_it_composes_to_what_was_reviewed(data_regression):
    recipe = composed()
    golden = {{"config_hash": config_hash(what(recipe)), "recipe": what(recipe)}}
    data_regression.check(golden, basename="{plan.name}_composed")
{run}'''


_GATES = ("", "gates:  # say it before you measure", "  - {metric: accuracy, at_least: 0.9}")
_REVIEW = (
    "",
    "review:  # what people are asked",
    "  question: Which of these does the photo show?",
)
_RUN_TEST = """

def test_it_runs_from_the_snapshot_to_the_report(tmp_path):
    where = [f"runtime.store={tmp_path / 'store'}", f"runtime.runs={tmp_path / 'runs'}"]
    assert (run(composed(*where, "runtime.device=cpu", "tracking=none")) / "report.html").is_file()
"""


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """In double quotes, as YAML and Python both read them."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
