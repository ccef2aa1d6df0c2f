"""The first screen: what the model does, in words that need no machine learning.

A plan comes first where there is one: whoever decides about the levers reads no further.
"""

from collections.abc import Sequence

from totalml.evaluation.interval import Interval
from totalml.report.content import ReportContent
from totalml.report.fairness import told as fairness_told
from totalml.report.gates import release
from totalml.report.markup import Html, joined, tag
from totalml.report.number_format import MISSING, duration, figure, interval, title
from totalml.report.out_of_distribution import told as strange_told
from totalml.report.plan import told as plan_told
from totalml.report.robustness import told as robustness_told
from totalml.report.slices import told as slices_told
from totalml.report.task_parts import parts_of
from totalml.values.shown import counted


def summary(content: ReportContent, first: Html, glance: Html) -> Html:
    """Args:
    first: pictures with what the model looked at.
    glance: a few pictures to stand beside the words where there are none of these.
    """
    parts = parts_of(content)
    planned, forecast = plan_told(content), parts.verdict(content)
    sentences = [
        forecast if planned else "",
        *parts.facts(content),
        slices_told(content),
        fairness_told(content),
        robustness_told(content),
        strange_told(content),
    ]
    facts = tag("ul", *(tag("li", sentence) for sentence in sentences if sentence), class_="facts")
    return tag(
        "section",
        tag("p", planned or forecast, class_="verdict"),
        tag("p", release(content.verdict), class_=_release_class(content)),
        parts.scale(content),
        joined(first, facts) if first else tag("div", facts, glance, class_="beside"),
        _cards(content, parts.cards),
        id="summary",
        aria_label="Summary",
    )


def _release_class(content: ReportContent) -> str:
    verdict = content.verdict
    if verdict is None or not verdict.gates:
        return "release"
    return "release yes" if verdict.releasable else "release no"


def _cards(content: ReportContent, names: Sequence[str]) -> Html:
    metrics, unit = content.evaluation.metrics, content.evaluation.unit
    cards = [_metric_card(name, metrics[name], unit) for name in names if name in metrics]
    training = counted(len(content.history), "epoch")
    cards.append(_card("Whole run", duration(sum(content.seconds.values())), f"{training} of training"))
    return tag("dl", *cards, class_="cards")


def _metric_card(name: str, metric: Interval, unit: str) -> Html:
    if metric.value is None:
        return _card(title(name), MISSING, metric.note or "")
    return _card(title(name), figure(name, metric.value, unit), interval(name, metric, unit))


def _card(title: str, value: str, small: str) -> Html:
    return tag("div", tag("dt", title), tag("dd", tag("b", value), tag("small", small) if small else ""))
