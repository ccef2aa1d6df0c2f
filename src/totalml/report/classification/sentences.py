"""What a classifier does, in words that need no machine learning."""

import numpy as np

from totalml.evaluation.calibration.record import Calibration
from totalml.evaluation.classification.record import ClassificationEvaluation
from totalml.evaluation.interval import Interval
from totalml.report.classification.baseline import Baseline
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.measured import measured
from totalml.report.number_format import of_hundred, percent, times
from totalml.report.slices import less_often
from totalml.values.shown import counted

# Confidence and accuracy this close, in points, count as equal.
POINTS_APART = 2.0


def verdict(content: ReportContent[ClassificationEvaluation]) -> Html:
    evaluation = content.evaluation
    accuracy = tag("strong", of_hundred(evaluation.metrics["accuracy"].value or 0.0, evaluation.count))
    of_possible, less = _of_possible(evaluation), less_often(evaluation)
    return joined("Right for ", accuracy, f" test {content.noun}s", of_possible, less, ".")


def lead(content: ReportContent[ClassificationEvaluation]) -> str:
    """The same without markup, for the model card."""
    evaluation = content.evaluation
    right = of_hundred(evaluation.metrics["accuracy"].value or 0.0, evaluation.count)
    return f"Right for {right} test {content.noun}s."


def purpose(content: ReportContent[ClassificationEvaluation], most: int) -> str:
    """What an answer of the model is; at most so many classes by name."""
    classes = ", ".join(content.evaluation.classes[:most])
    return f"For each {content.noun} it says one of {len(content.evaluation.classes)} words: {classes}."


def facts(content: ReportContent[ClassificationEvaluation]) -> list[Html | str]:
    evaluation = content.evaluation
    return [
        measured(evaluation, content.noun),
        _against_baseline(evaluation),
        _best_possible(evaluation),
        _mistakes(evaluation),
        _weakest(evaluation),
        _confidence(evaluation),
    ]


def _of_possible(evaluation: ClassificationEvaluation) -> str:
    best = evaluation.metrics.get("best_possible_accuracy")
    if best is None or best.value in (None, 1.0):
        return ""
    return f", where at most {round(min(evaluation.count, 100) * best.value)} are possible"


def _against_baseline(evaluation: ClassificationEvaluation) -> Html:
    accuracy, simple = evaluation.metrics["accuracy"], Baseline.of(evaluation)
    reached = accuracy.value if accuracy.low is None else accuracy.low
    always = joined("always answering ", _quoted(simple.label), f", which is right for {percent(simple.accuracy)}.")
    if reached is not None and reached > simple.accuracy:
        return joined("Better than ", always)
    return tag("strong", "Not clearly better than ", always)


def _best_possible(evaluation: ClassificationEvaluation) -> str:
    best, accuracy = evaluation.metrics.get("best_possible_accuracy"), evaluation.metrics["accuracy"]
    if best is None or best.value in (None, 1.0) or accuracy.value is None:
        return ""
    noisy = f"Only {percent(best.value)} of the labels are true, so no model can count on more"
    if max(accuracy.value, accuracy.high or 0.0) >= best.value:
        return f"{noisy}; this one comes as close as can be measured."
    return f"{noisy}; this one is {100 * (best.value - accuracy.value):.1f} points below."


def _mistakes(evaluation: ClassificationEvaluation) -> Html:
    wrong = np.array(evaluation.confusion)
    np.fill_diagonal(wrong, 0)
    if not wrong.any():
        return joined("It made no mistake.")
    order = np.argsort(-wrong, axis=None, kind="stable")[: 2 if len(wrong) == 2 else 3]
    told = [
        joined(
            f"{times(int(wrong[true, said]))} ",
            _quoted(evaluation.classes[said]),
            " where the label says ",
            _quoted(evaluation.classes[true]),
        )
        for true, said in (divmod(int(cell), len(wrong)) for cell in order)
        if wrong[true, said]
    ]
    lead = "it says " if len(wrong) == 2 else "most often it says "
    told_all = Html(", ".join(told))
    return joined(f"{counted(int(wrong.sum()), 'mistake')}: {lead}", told_all, ".", _wrong_labels(evaluation))


def _wrong_labels(evaluation: ClassificationEvaluation) -> str:
    """How many mistakes are the label's, where the truth is known."""
    predictions = evaluation.predictions
    if "gold" not in predictions.column_names:
        return ""
    label, predicted, gold = (predictions[name].to_pylist() for name in ("label", "predicted", "gold"))
    right = sum(said == true != given for given, said, true in zip(label, predicted, gold, strict=True))
    return f" In {right} of them the model is right and the label wrong." if right else ""


def _weakest(evaluation: ClassificationEvaluation) -> Html | str:
    recalls = {
        label: recall.value
        for label, figures in evaluation.per_class.items()
        if isinstance(recall := figures["recall"], Interval) and recall.value is not None
    }
    # With two classes the mistakes say it already.
    if len(evaluation.classes) == 2 or len(recalls) < 2:
        return ""
    worst, best = min(recalls, key=recalls.__getitem__), max(recalls, key=recalls.__getitem__)
    few, many = (_recognised(evaluation, label, recalls[label]) for label in (worst, best))
    return joined(
        *("Weakest on ", _quoted(worst), f", of which it recognises {few}; "),
        *("strongest on ", _quoted(best), f" with {many}."),
    )


def _recognised(evaluation: ClassificationEvaluation, label: str, recall: float) -> str:
    support = evaluation.per_class[label]["support"]
    return of_hundred(recall, support) if isinstance(support, int) else of_hundred(recall)


def _confidence(evaluation: ClassificationEvaluation) -> str:
    check = evaluation.confidence_check
    if check is not None:
        return _checked_confidence(check, evaluation)
    accuracy = evaluation.metrics["accuracy"].value or 0.0
    mean = float(np.mean(evaluation.predictions["confidence"].to_numpy()))
    if abs(100 * (mean - accuracy)) < POINTS_APART:
        return f"On average it is as sure as it is right: {percent(mean)} sure."
    lead = "It is too sure of itself" if mean > accuracy else "It is right more often than it is sure"
    return f"{lead}: {percent(mean)} sure on average, {percent(accuracy)} right."


def _checked_confidence(check: Calibration, evaluation: ClassificationEvaluation) -> str:
    """Called too sure, or not sure enough, only if the interval says so."""
    accuracy = evaluation.metrics["accuracy"].value or 0.0
    figures = f"{percent(accuracy + (check.sureness.value or 0.0))} sure on average, {percent(accuracy)} right."
    if (check.sureness.low or 0.0) > 0:
        return f"It is {'' if check.off else 'a little '}too sure of itself: {figures}"
    if (check.sureness.high or 0.0) < 0:
        return f"It is right {'' if check.off else 'a little '}more often than it is sure: {figures}"
    return f"As far as {counted(evaluation.count, 'sample')} can tell, it is as sure as it is right: {figures}"


def _quoted(label: str) -> Html:
    return joined("“", name_of(label), "”")
