"""On how many samples a task was measured, and how far the headline figure may lie elsewhere."""

from totalml.evaluation.record import Evaluation
from totalml.report.number_format import interval, percent
from totalml.values.shown import counted


def measured_on(evaluation: Evaluation, noun: str) -> str:
    """Without the full stop. Of samples that are drawn together the groups are counted too, which intervals rest on."""
    of = f" of {counted(evaluation.facts, evaluation.fact)}" if evaluation.facts < evaluation.count else ""
    return f"Measured on {counted(evaluation.count, noun)}{of} that the model never saw"


def measured(evaluation: Evaluation, noun: str) -> str:
    """With an interval of the headline figure where it has one."""
    headline, text = evaluation.metrics[evaluation.headline], measured_on(evaluation, noun)
    if headline.low is None:
        return f"{text}."
    sure = f"{percent(evaluation.confidence, 0)} interval"
    return f"{text}; on others like them expect {interval(evaluation.headline, headline)} ({sure})."
