"""What a model says of a sample, and how sure it is, in words for people who know the subject and no statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from totalml.evaluation.calibration.temperature import scaled
from totalml.evaluation.regression.columns import column
from totalml.values.shown import short_number

if TYPE_CHECKING:
    from totalml.release.signature import Signature

# From which part of the way from a guess, 0, to certainty, 1. Of two classes that are 97, 85 and 65 %.
BANDS = ((0.94, "almost sure"), (0.7, "fairly sure"), (0.3, "rather unsure"))
GUESS = "unsure, little better than a guess"
CHANCE = "p:"


def said_of(answer: Mapping[str, Any], signature: Signature, words: Mapping[str, str]) -> str:
    """One or two sentences; empty where there is no answer.

    Args: answer: column -> value, as the signature names them. words: label -> what people call it.
    """
    if signature.task == "regression":
        return _numbers(answer, signature)
    if (said := answer.get("predicted")) is None:
        return ""
    sure = band(confidence_of(answer, signature), 2 if signature.task == "multilabel" else len(signature.targets))
    if signature.task == "multilabel":
        named = ", ".join(words.get(each, each) for each in said) or "none of them"
        return f"The model says: {named}. Of the one that it is least sure of, it is {sure}."
    return f"The model says: {words.get(said, said)}. It is {sure}."


def confidence_of(answer: Mapping[str, Any], signature: Signature) -> float:
    """That what it says is right, in [0, 1], by the temperature of the release where it has one; of several labels that
    of the least sure one; NaN: it does not say.
    """
    chances = np.array([_number(answer.get(f"{CHANCE}{name}")) for name in signature.targets])
    if signature.task == "multilabel":
        both = _tempered(np.stack([1 - chances, chances], axis=1), signature)
        return float(both.max(axis=1).min())
    return float(_tempered(chances[None], signature).max())


def band(confidence: float, choices: int) -> str:
    """How sure that is, in words. Args: choices: among which a guess would be."""
    if not np.isfinite(confidence):
        return "silent about how sure it is"
    way = (confidence - 1 / choices) / (1 - 1 / choices) if choices > 1 else 1.0
    return next((words for least, words in BANDS if way >= least - 1e-9), GUESS)


def _numbers(answer: Mapping[str, Any], signature: Signature) -> str:
    told = []
    for name in signature.targets:
        value, low, high = (_number(answer.get(column(part, name, signature.targets))) for part in _PARTS)
        if not np.isfinite(value):
            continue
        unit = f" {signature.units[name]}" if signature.units.get(name) else ""
        between = (
            f", and most likely between {short_number(low)} and {short_number(high)}"
            if np.isfinite([low, high]).all()
            else ""
        )
        told.append(f"{name.replace('_', ' ')} {short_number(value)}{unit}{between}")
    return f"The model says: {'; '.join(told)}." if told else ""


def _tempered(chances: np.ndarray[Any, np.dtype[np.float64]], signature: Signature) -> np.ndarray[Any, Any]:
    temperature = signature.decision.get("temperature")
    return scaled(chances, temperature) if temperature and np.isfinite(chances).all() else chances


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


_PARTS = ("value", "lower", "upper")
