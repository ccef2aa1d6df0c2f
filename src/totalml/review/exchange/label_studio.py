"""Tasks of Label Studio: `data` says which item, `annotations` who said what of it.

A class is a choice, several labels are choices, a number is a number. What is no label is a choice of another name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from totalml.errors import DataError
from totalml.review.exchange.said_of_item import SaidOfItem, require_none
from totalml.review.said import CANNOT_TELL, LABEL, WRONG_SUBJECT
from totalml.store.atomic import write_atomically

if TYPE_CHECKING:
    from pathlib import Path

    from totalml.evaluation.truth import Truth
    from totalml.review.figures.judgements import Judgements
    from totalml.review.item import Item

SHOWN = "picture"  # what the choices belong to
CHOICES, NUMBER = "choices", "number"


def write_tasks(file: Path, judged: Judgements) -> None:
    """A task for each item that somebody gave a verdict of; of explanations and slices there are none."""
    said = judged.by_item()
    tasks = [
        {"data": _data(judged.items[name]), "annotations": [_annotation(each.who, each) for each in verdicts]}
        for name, verdicts in said.items()
        if judged.items[name].ask == LABEL
    ]
    write_atomically(file, (json.dumps(tasks, indent=1, ensure_ascii=False) + "\n").encode())


def read_tasks(file: Path, truth: Truth) -> list[SaidOfItem]:
    """Raises: DataError: names all that is wrong."""
    try:
        tasks = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(tasks, list):
        raise DataError(f"{file} is no list of tasks, as Label Studio exports them (JSON)")
    found: list[SaidOfItem] = []
    wrong: list[str] = []
    for number, task in enumerate(tasks, start=1):
        for each in _said(task, number, truth):
            if isinstance(each, str):
                wrong.append(each)
            else:
                found.append(each)
    require_none(file, wrong)
    return found


def _data(item: Item) -> dict[str, Any]:
    about = {"item": item.item, SHOWN: item.pictures[0] if item.pictures else None}
    about |= {"request_id": item.request_id, "id": item.id, "sample": item.sample}
    return {**item.facts, **about}


def _annotation(who: str, verdict: Any) -> dict[str, Any]:
    result = [
        {"from_name": name, "to_name": SHOWN, "type": NUMBER if NUMBER in value else CHOICES, "value": value}
        for name, value in _values(verdict.answer)
    ]
    known = {"completed_by": who, "created_at": verdict.when, "lead_time": verdict.seconds}
    return {**known, "comment": verdict.comment, "was_cancelled": False, "result": result}


def _values(answer: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, cell in (answer.get(LABEL) or {}).items():
        if isinstance(cell, int | float):
            yield name, {NUMBER: cell}
        elif cell is not None:
            yield name, {CHOICES: [cell] if isinstance(cell, str) else [*cell]}
    if CANNOT_TELL in answer:
        yield CANNOT_TELL, {CHOICES: [answer[CANNOT_TELL]]}
    if WRONG_SUBJECT in answer:
        yield WRONG_SUBJECT, {CHOICES: [WRONG_SUBJECT]}


def _said(task: Any, number: int, truth: Truth) -> Iterator[SaidOfItem | str]:
    """A text says what is wrong."""
    data = task.get("data") if isinstance(task, Mapping) else None
    item = data.get("item") if isinstance(data, Mapping) else None
    given = task.get("annotations") if isinstance(task, Mapping) else None
    if not isinstance(item, str) or not isinstance(given, list):
        yield f"task {number}: wants data.item, the id that the export gave, and annotations"
        return
    for place, each in enumerate(given, start=1):
        where = f"task {number}, annotation {place}"
        if isinstance(each, Mapping) and each.get("was_cancelled") is True:
            continue
        answer = _answer(each.get("result"), truth) if isinstance(each, Mapping) else None
        if answer is None:
            yield f"{where}: its result holds no choices and no number that could be a verdict"
            continue
        seconds = each.get("lead_time")
        taken = float(seconds) if isinstance(seconds, int | float) and 0 <= seconds < 1e6 else 0.0
        when = each.get("created_at") if isinstance(each.get("created_at"), str) else ""
        yield SaidOfItem(
            where, item, _who(each.get("completed_by")), when, answer, taken, str(each.get("comment") or "")
        )


def _answer(result: Any, truth: Truth) -> dict[str, Any] | None:
    import pyarrow as pa

    label: dict[str, Any] = {}
    for each in result if isinstance(result, list) else ():
        value = each.get("value") if isinstance(each, Mapping) else None
        if not isinstance(value, Mapping):
            return None
        name, choices = str(each.get("from_name")), value.get(CHOICES)
        if name in (CANNOT_TELL, WRONG_SUBJECT):
            return {CANNOT_TELL: (choices or [""])[0]} if name == CANNOT_TELL else {WRONG_SUBJECT: True}
        # A project of somebody else calls the choice as it likes; where there is one column it can be none but that.
        column = name if name in truth.columns or len(truth.columns) > 1 else next(iter(truth.columns))
        several = pa.types.is_list(truth.columns.get(column, pa.null()))
        if isinstance(choices, list) and choices:
            label[column] = choices if several or len(choices) > 1 else choices[0]
        elif NUMBER in value:
            label[column] = value[NUMBER]
        else:
            return None
    return {LABEL: label} if label else None


def _who(given: Any) -> str:
    """A number says nothing to anybody else."""
    if isinstance(given, Mapping):
        given = given.get("email") or given.get("username")
    return given if isinstance(given, str) else ""
