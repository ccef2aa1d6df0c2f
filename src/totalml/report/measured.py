"""On how many samples a task was measured, and how far the headline figure may lie elsewhere."""

from totalml.evaluation.record import Evaluation
from totalml.report.number_format import counted, interval, percent


def measured(evaluation: Evaluation, noun: str) -> str:
    """With an interval of the headline figure where it has one."""
    headline = evaluation.metrics[evaluation.headline]
    text = f"Measured on {counted(evaluation.count, noun)} that the model never saw"
    if headline.low is None:
        return f"{text}."
    sure = f"{percent(evaluation.confidence, 0)} interval"
    return f"{text}; on others like them expect {interval(evaluation.headline, headline)} ({sure})."
