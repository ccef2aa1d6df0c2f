"""What of a report depends on the task, and who tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

from totalml.evaluation.record import Evaluation
from totalml.report.content import ReportContent
from totalml.report.gallery import Gallery
from totalml.report.markup import Html

# Task, as its evaluation calls it -> the room with its parts.
ROOMS = {name: f"totalml.report.{name}.parts" for name in ("classification", "multilabel", "regression")}


@dataclass(frozen=True)
class Answer:
    """One prediction in words.

    Args:
        true, said: a word or a number each.
        remark: how sure the model is, or by how much it errs.
        order: of answers that are equally right, the lowest is shown first.
    """

    id: str
    right: bool
    true: str
    said: str
    remark: str
    order: float = 0.0


class TaskParts(Protocol):
    """A module: its functions take a content whose evaluation is of its task.

    Args:
        cards: metrics that the first screen shows as figures.
        titles: section -> its name in the table of contents.
        hugging_face: task type without `image-` or `tabular-`, and metric -> Hugging Face's name of it.
    """

    cards: Sequence[str]
    titles: Mapping[str, str]
    hugging_face: tuple[str, Mapping[str, str]]

    def verdict(self, content: ReportContent[Any]) -> Html:
        """The first sentence: how good it is."""

    def lead(self, content: ReportContent[Any]) -> str:
        """The same without markup."""

    def purpose(self, content: ReportContent[Any], most: int) -> str:
        """What an answer of the model is, naming at most so many."""

    def facts(self, content: ReportContent[Any]) -> list[Html | str]:
        """Sentences for the first screen; empty ones are left out."""

    def scale(self, content: ReportContent[Any]) -> Html:
        """How far it got between the simplest answer and the best possible one."""

    def baseline(self, content: ReportContent[Any]) -> float:
        """What the answer that needs no model reaches, on the evaluation's headline metric."""

    def gallery(self, content: ReportContent[Any], budget_bytes: int) -> Gallery: ...

    def answer(self, evaluation: Any, row: Mapping[str, Any]) -> Answer:
        """A row of the predictions."""

    def sections(self, content: ReportContent[Any]) -> dict[str, Html]:
        """The sections of the task alone, by the keys of `titles`."""


def parts_of(content: ReportContent[Any]) -> TaskParts:
    return _parts(content.evaluation.task)


def answer_of(evaluation: Evaluation, row: Mapping[str, Any]) -> Answer:
    """A row of an evaluation's predictions in words."""
    return _parts(evaluation.task).answer(evaluation, row)


def _parts(task: str) -> TaskParts:
    parts: TaskParts = import_module(ROOMS[task])
    return parts
