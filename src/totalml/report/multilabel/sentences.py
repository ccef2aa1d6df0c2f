"""What a model of labels does, in words that need no machine learning."""

import numpy as np

from totalml.evaluation.multilabel.record import MultiLabelEvaluation
from totalml.evaluation.multilabel.thresholds import DEFAULT, LEAST
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, tag
from totalml.report.measured import measured
from totalml.report.multilabel.baseline import Baseline
from totalml.report.multilabel.names import quoted
from totalml.report.number_format import of_hundred, percent
from totalml.report.slices import less_often
from totalml.values.shown import counted


def verdict(content: ReportContent[MultiLabelEvaluation]) -> Html:
    return joined(
        "Every label right for ",
        tag("strong", _right(content.evaluation)),
        f" test {content.noun}s",
        less_often(content.evaluation),
        ".",
    )


def lead(content: ReportContent[MultiLabelEvaluation]) -> str:
    """The same without markup, for the model card."""
    return f"Every label right for {_right(content.evaluation)} test {content.noun}s."


def purpose(content: ReportContent[MultiLabelEvaluation], most: int) -> str:
    """What an answer of the model is; at most so many labels by name."""
    labels = content.evaluation.labels
    return f"For each {content.noun} it says any number of {len(labels)} words, or none: {', '.join(labels[:most])}."


def facts(content: ReportContent[MultiLabelEvaluation]) -> list[Html | str]:
    evaluation, simple = content.evaluation, Baseline.of(content.evaluation)
    return [
        measured(evaluation, content.noun),
        _against_baseline(evaluation, simple),
        _label_by_label(evaluation, simple),
        _weakest(evaluation),
        _taken_for(evaluation, content.noun),
        _thresholds(evaluation),
        _probabilities(evaluation),
    ]


def _right(evaluation: MultiLabelEvaluation) -> str:
    return of_hundred(evaluation.metrics["exact_match"].value or 0.0, evaluation.count)


def _against_baseline(evaluation: MultiLabelEvaluation, simple: Baseline) -> Html:
    exact = evaluation.metrics["exact_match"]
    always = joined("always saying ", simple.title, f", which is right for {percent(simple.exact_match)}.")
    surely = exact.value if exact.low is None else exact.low
    if surely is not None and surely > simple.exact_match:
        return joined("Better than ", always)
    return tag("strong", "Not clearly better than ", always)


def _label_by_label(evaluation: MultiLabelEvaluation, simple: Baseline) -> str:
    right = evaluation.metrics["hamming_accuracy"].value or 0.0
    without = "saying each always or never, whichever is better, would get"
    return f"Of single labels {percent(right)} are right; {without} {percent(simple.hamming_accuracy)}."


def _weakest(evaluation: MultiLabelEvaluation) -> Html | str:
    recalls = {
        label: value
        for label, each in evaluation.per_label.items()
        if (value := each.figures["recall"].value) is not None
    }
    if len(recalls) < 2:
        return ""
    worst, best = min(recalls, key=recalls.__getitem__), max(recalls, key=recalls.__getitem__)
    few, many = (of_hundred(recalls[label], evaluation.per_label[label].support) for label in (worst, best))
    return joined(
        *("Finds ", quoted([worst]), f" worst, {few}; "),
        *("and ", quoted([best]), f" best, {many}."),
    )


def _taken_for(evaluation: MultiLabelEvaluation, noun: str) -> Html | str:
    """The label that is most often said in place of another."""
    crossed = np.array(evaluation.taken_for)
    true, said = divmod(int(crossed.argmax()), len(crossed))
    if crossed[true, said] < 2:  # once is no habit
        return ""
    labels = evaluation.labels
    where = f", in {counted(int(crossed[true, said]), noun)}."
    return joined("Most often it misses ", quoted([labels[true]]), " and says ", quoted([labels[said]]), where)


def _thresholds(evaluation: MultiLabelEvaluation) -> str:
    fitted = sum(each.threshold != DEFAULT for each in evaluation.per_label.values())
    if not fitted:
        return f"A label is said from {percent(DEFAULT, 0)} on."
    chosen = f"From where on a label is said was chosen on validation for {counted(fitted, 'label')}"
    rest = len(evaluation.labels) - fitted
    few = f"; {rest} with fewer than {LEAST} samples there {'stays' if rest == 1 else 'stay'} at {percent(DEFAULT, 0)}"
    return f"{chosen}{few if rest else ''}."


def _probabilities(evaluation: MultiLabelEvaluation) -> str:
    check = evaluation.confidence_check
    if check is None:
        return ""
    sureness, gap = check.sureness, f"{100 * abs(check.sureness.value or 0.0):.1f}"
    if (sureness.low or 0.0) > 0:
        return f"It thinks labels likelier than they are, by {gap} points on average."
    if (sureness.high or 0.0) < 0:
        return f"It thinks labels less likely than they are, by {gap} points on average."
    return "As far as these samples can tell, labels are on average as likely as it says."
