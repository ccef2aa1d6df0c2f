"""Results of deepchecks -> records of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from io import BytesIO, TextIOWrapper
from typing import TYPE_CHECKING, Any

from totalml.quality.suites.record import ORDER, Data, Outcome, Status, Suite, page_name

if TYPE_CHECKING:
    from totalml.quality.suites.chosen import ChosenSuite
    from totalml.recipe import SuiteRecipe

STATUS: dict[str, Status] = {"FAIL": "failed", "WARN": "warned", "PASS": "passed", "ERROR": "could not run"}
OF_SPLIT = re.compile(r" - (Train|Test) Dataset$")  # only one of them is ever looked at
MARKUP = re.compile(r"<[^>]*>")


def recorded(
    asked: SuiteRecipe,
    chosen: ChosenSuite,
    name: str,
    data: Data,
    result: Any,
    left_out: Sequence[str] = (),
    samples: int | None = None,
) -> Suite:
    """Args: result: what deepchecks' suite returns."""
    outcomes = sorted(_outcomes(chosen, result.results), key=lambda one: (ORDER.index(one.status), one.check))
    html = page_name(data, name) if asked.html else None
    return Suite(name, data, tuple(outcomes), None, tuple(left_out), samples, html, _page(result) if html else None)


def _outcomes(chosen: ChosenSuite, results: Sequence[Any]) -> Iterator[Outcome]:
    for result in results:
        if not hasattr(result, "conditions_results"):
            says = _text(f"{result.exception}") or type(result.exception).__name__
            yield Outcome(type(result.check).name(), "", "could not run", says, "warn")
            continue
        name = type(result.check).__name__
        status = STATUS | ({"WARN": "failed"} if name in chosen.asked else {})
        check = OF_SPLIT.sub("", result.get_header())
        levels = chosen.levels.get(name, ())
        if not result.conditions_results:
            yield Outcome(check, "", "not judged", "No condition is set.", chosen.level)
        for level, condition in zip(levels, result.conditions_results, strict=False):
            came_out = status[condition.category.name]
            yield Outcome(check, _text(condition.name), came_out, _text(condition.details), level)


def _text(markup: str) -> str:
    return " ".join(MARKUP.sub(" ", markup).split())


def _page(result: Any) -> str:
    """Deepchecks' own page, whole: it loads nothing."""
    content = BytesIO()
    file = TextIOWrapper(content, encoding="utf-8", write_through=True)  # the one kind that it takes
    result.save_as_html(file, as_widget=False, connected=False)
    return content.getvalue().decode()
