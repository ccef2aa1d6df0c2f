"""What a report tells of a model that predicts numbers."""

from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html
from totalml.report.regression.answers import answer
from totalml.report.regression.gallery import gallery
from totalml.report.regression.intervals import intervals, targets
from totalml.report.regression.over_time import over_time
from totalml.report.regression.plots import errors, predicted
from totalml.report.regression.scale import scale as bar
from totalml.report.regression.sentences import facts, lead, purpose, verdict

__all__ = [
    "answer",
    "baseline",
    "cards",
    "facts",
    "gallery",
    "hugging_face",
    "lead",
    "purpose",
    "scale",
    "sections",
    "titles",
    "verdict",
]

cards = ("mae", "rmse", "r2", "bias", "mase", "skill", "coverage", "interval_width")
titles = {
    "targets": "Targets",
    "time": "Over time",
    "predicted": "Predicted and true",
    "errors": "Errors",
    "intervals": "Intervals",
}
hugging_face = ("regression", {"mae": "mae", "rmse": "rmse", "r2": "r_squared", "mase": "mase"})


def scale(content: ReportContent[RegressionEvaluation]) -> Html:
    return bar(content.evaluation)


def baseline(content: ReportContent[RegressionEvaluation]) -> float:
    return content.evaluation.always_mae


def sections(content: ReportContent[RegressionEvaluation]) -> dict[str, Html]:
    shown = {
        "targets": targets(content),
        "time": over_time(content),
        "predicted": predicted(content),
        "errors": errors(content),
        "intervals": intervals(content),
    }
    return {key: Html(part) for key, part in shown.items() if part}
