"""The pictures of the page: those it got most wrong, and others from the lowest truth to the highest."""

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from totalml.evaluation.regression.columns import SERIES, TIME
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.content import ReportContent
from totalml.report.gallery import AT_A_GLANCE, MOST_WRONG, Drawn, Gallery, card, drawn, glance, most_wrong
from totalml.report.markup import Html, joined, section, tag
from totalml.report.number_format import THIN
from totalml.report.pictures import spread
from totalml.report.regression.answers import answer
from totalml.report.task_parts import Answer

BY_VALUE = 24


def gallery(content: ReportContent[RegressionEvaluation], budget_bytes: int) -> Gallery:
    """Draw them; all pictures together fit the budget."""
    evaluation = content.evaluation
    at_a_glance = spread(np.arange(evaluation.count), AT_A_GLANCE)
    wrong = [int(row) for row in np.argsort(evaluation.sample_scores(), kind="stable")[:MOST_WRONG]]
    by_value = spread(_order(evaluation), BY_VALUE)
    shown = drawn(content, [*at_a_glance, *wrong, *by_value], budget_bytes)
    first, then = len(at_a_glance), len(at_a_glance) + len(wrong)
    return Gallery(
        _glance(content, shown[:first]), _wrong(content, shown[first:then]), _by_value(content, shown[then:])
    )


def _glance(content: ReportContent[RegressionEvaluation], shown: list[Drawn]) -> Html:
    cards = [_card(one, said := answer(content.evaluation, one.row), _arrow(said)) for one in shown]
    return glance(shown, cards, "Some test pictures: true → what the model says.")


def _wrong(content: ReportContent[RegressionEvaluation], shown: list[Drawn]) -> Html:
    text = f"Those it is farthest off for. A wrong truth is as likely here as a hard {content.noun}."
    cards = [_card(one, said := answer(content.evaluation, one.row), _arrow(said), said.remark) for one in shown]
    return most_wrong(content, cards, text)


def _order(evaluation: RegressionEvaluation) -> NDArray[np.int64]:
    """Series by series in the order of time, else from the lowest truth to the highest."""
    if not evaluation.per_series:
        return np.argsort(evaluation.column("truth")[:, 0], kind="stable")
    keys = [name for name in (SERIES, TIME) if name in evaluation.predictions.column_names]
    found: NDArray[np.int64] = pc.sort_indices(evaluation.predictions, [(key, "ascending") for key in keys]).to_numpy()
    return found.astype(np.int64)


def _by_value(content: ReportContent[RegressionEvaluation], shown: list[Drawn]) -> Html:
    evaluation, in_series = content.evaluation, bool(content.evaluation.per_series)
    first = _first(evaluation)
    order = f"{first}, series by series" if in_series else f"from the lowest {first} to the highest"
    frame = "A frame marks those whose truth is outside of the interval."
    unit = f"{THIN}{evaluation.unit}"  # stands above; beside each there is no room
    cards = []
    for one in shown:
        said = answer(evaluation, one.row)
        arrow = Html(_arrow(said).replace(unit, ""))
        of_series = one.row[SERIES] if in_series else ""
        cards.append(_card(one, said, arrow, of_series, class_="right" if said.right else "mistake"))
    title = "Samples by series" if in_series else "Samples by value"
    text = tag("p", f"Evenly picked {order}: true → what the model says. {frame}")
    return section("samples", title, text, tag("ul", *cards, class_="grid"))


def _first(evaluation: RegressionEvaluation) -> str:
    name = evaluation.targets[0]
    return f"{name} ({evaluation.units[name]})" if name in evaluation.units else name


def _arrow(one: Answer) -> Html:
    return joined(one.true, " → ", one.said)


def _card(one: Drawn, said: Answer, first: str, second: str = "", class_: str | None = None) -> Html:
    return card(one, f"true {said.true[:60]}, the model says {said.said[:60]}", first, second, class_)
