"""Why a metric is undefined, in words for the report."""

from collections.abc import Sequence

from totalml.evaluation.multilabel.scores import LabelScores

NAMED_AT_MOST = 5


def label_note(metric: str, k: int, label: str, scores: LabelScores) -> str | None:
    """The reason why `metric` of label k is None; None if it is defined."""
    true, said = scores.true[:, k], scores.said[:, k]
    if metric == "precision":
        return None if said.any() else f"{label!r} was never said"
    if metric == "f1":
        return None if (said | true).any() else f"no test sample has {label!r} and it was never said"
    if not true.any():
        return f"no test sample has {label!r}"
    if metric != "recall" and true.all():
        return f"every test sample has {label!r}"
    return None


def overall_note(metric: str, scores: LabelScores, labels: Sequence[str]) -> str | None:
    """The reason why `metric` is None, or the labels that its mean leaves out."""
    if metric == "f1_micro":
        return None if (scores.true | scores.said).any() else "no test sample has a label and none was said"
    if not metric.endswith("_macro"):
        return None
    figure = metric.removesuffix("_macro")
    left_out = [label for k, label in enumerate(labels) if label_note(figure, k, label, scores) is not None]
    if not left_out:
        return None
    more = f" and {len(left_out) - NAMED_AT_MOST} more" if len(left_out) > NAMED_AT_MOST else ""
    return f"mean without {', '.join(map(repr, left_out[:NAMED_AT_MOST]))}{more}, where it is undefined"
