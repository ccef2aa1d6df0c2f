"""What a model that predicts numbers does, in words that need no machine learning."""

from totalml.evaluation.interval import Interval
from totalml.evaluation.regression.record import RegressionEvaluation
from totalml.report.content import ReportContent
from totalml.report.markup import Html, joined, name_of, tag
from totalml.report.measured import measured_on
from totalml.report.number_format import interval, percent, quantity
from totalml.report.slices import less_often
from totalml.values.shown import counted

MOST_NAMED = 6


def verdict(content: ReportContent[RegressionEvaluation]) -> Html:
    evaluation = content.evaluation
    mae = evaluation.metrics["mae"]
    said = tag("strong", f"Off by {quantity(mae.value or 0.0, evaluation.unit)}")
    return joined(said, f" on average{_bounds(mae)}, where ", _always(evaluation), less_often(evaluation), ".")


def lead(content: ReportContent[RegressionEvaluation]) -> str:
    """The same without markup, for the model card."""
    evaluation = content.evaluation
    return f"Off by {quantity(evaluation.metrics['mae'].value or 0.0, evaluation.unit)} on average."


def purpose(content: ReportContent[RegressionEvaluation], most: int) -> str:
    """What an answer of the model is; at most so many targets by name."""
    evaluation = content.evaluation
    named = [_with_unit(name, evaluation) for name in evaluation.targets[:most]]
    return f"For each {content.noun} it says a number and an interval of {', '.join(named)}."


def facts(content: ReportContent[RegressionEvaluation]) -> list[Html | str]:
    evaluation = content.evaluation
    return [
        f"{measured_on(evaluation, content.noun)}.",
        _against_always(evaluation),
        _explained(evaluation),
        _bias(evaluation),
        _intervals(evaluation),
        _season(evaluation),
        _skill(evaluation),
        _unknown_series(evaluation),
        *_each_target(evaluation),
    ]


def _always(evaluation: RegressionEvaluation) -> str:
    off = quantity(evaluation.always_mae, evaluation.unit)
    if evaluation.several:
        return f"always answering the middle of each is off by {off}"
    [name] = evaluation.targets
    return f"always answering {quantity(evaluation.always[name], evaluation.unit)} is off by {off}"


def _against_always(evaluation: RegressionEvaluation) -> Html:
    mae = evaluation.metrics["mae"]
    reached = mae.value if mae.high is None else mae.high
    if reached is not None and reached < evaluation.always_mae:
        share = 1 - (mae.value or 0.0) / evaluation.always_mae
        return joined(f"Its errors are {percent(share, 0)} smaller than those of one answer for all.")
    return joined(tag("strong", "Not clearly better than one answer for all"), f": {_always(evaluation)}.")


def _explained(evaluation: RegressionEvaluation) -> str:
    r2 = evaluation.metrics["r2"]
    if r2.value is None:
        return f"R² is undefined, because {r2.note}." if r2.note else ""
    if r2.value <= 0:
        return f"It explains nothing of how the truth varies (R² {r2.value:.2f})."
    return f"It explains {percent(r2.value, 0)} of how the truth varies (R², {interval('r2', r2) or 'no interval'})."


def _bias(evaluation: RegressionEvaluation) -> str:
    bias = evaluation.metrics["bias"]
    if bias.low is None or bias.high is None or bias.value is None:
        return ""
    if bias.low <= 0 <= bias.high:
        return f"As far as {counted(evaluation.count, 'sample')} can tell, it says neither too much nor too little."
    word, ends = ("much", (bias.low, bias.high)) if bias.value > 0 else ("little", (-bias.high, -bias.low))
    size = quantity(abs(bias.value), evaluation.unit)
    return f"It says too {word}: by {size} on average ({quantity(ends[0])} to {quantity(ends[1])})."


def _intervals(evaluation: RegressionEvaluation) -> str:
    coverage, width = evaluation.metrics["coverage"], evaluation.metrics["interval_width"]
    if coverage.value is None or width.value is None:
        return f"It has no intervals: {coverage.note}." if coverage.note else ""
    wide = quantity(width.value, evaluation.unit)
    held = f"hold the truth for {percent(coverage.value)}{_bounds(coverage, 'coverage')}"
    return f"Its intervals, {wide} wide on average, {held}; promised are {percent(evaluation.promised, 0)}."


def _season(evaluation: RegressionEvaluation) -> str:
    mase = evaluation.metrics["mase"]
    if mase.value is None:
        return ""
    return f"Its error is {mase.value:.2f} times what a season changes in training (MASE)."


def _skill(evaluation: RegressionEvaluation) -> str:
    skill = evaluation.metrics["skill"]
    if skill.value is None:
        return ""
    said = "what stood a season earlier"
    if skill.low is not None and skill.high is not None and skill.low <= 0 <= skill.high:
        return f"It cannot be told from saying {said} (skill {skill.value:.2f}, {interval('skill', skill)})."
    word = "smaller" if skill.value > 0 else "larger"
    return f"Its errors are {percent(abs(skill.value), 0)} {word} than those of saying {said} (skill)."


def _unknown_series(evaluation: RegressionEvaluation) -> Html | str:
    missing = [name for name, figures in evaluation.per_series.items() if figures["mase"].value is None]
    if not missing or evaluation.metrics["mase"].value is None:
        return ""
    named = Html(", ".join(name_of(name) for name in missing[:MOST_NAMED]))
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    return joined("MASE leaves out series of which training knows no season: ", named, f"{more}.")


def _each_target(evaluation: RegressionEvaluation) -> list[Html | str]:
    if not evaluation.several:
        return []
    told = [
        joined(name_of(name), f": off by {quantity(figures['mae'].value or 0.0, evaluation.units.get(name, ''))}")
        for name, figures in list(evaluation.per_target.items())[:MOST_NAMED]
    ]
    left = len(evaluation.targets) - len(told)
    return [joined(Html("; ".join(told)), f"; {left} more below." if left else ".")]


def _bounds(metric: Interval, name: str = "mae") -> str:
    bounds = interval(name, metric)
    return f" ({bounds})" if bounds else ""


def _with_unit(name: str, evaluation: RegressionEvaluation) -> str:
    return f"{name} ({evaluation.units[name]})" if name in evaluation.units else name
