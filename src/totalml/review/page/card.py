"""An item as a person sees it before the verdict, and after it; all that comes from data is escaped by the markup."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from totalml.report.markup import Html, joined, name_of, tag
from totalml.review.item import ASK_CURVE, ASK_EXPLANATION, ASK_LABEL, ASK_PLAN, ASK_SLICE, OF_PLANS, Item
from totalml.review.page.session import ticket_of
from totalml.review.said import reasons_of

if TYPE_CHECKING:
    from totalml.recipe.review import ReviewRecipe
    from totalml.release.signature import Signature
    from totalml.review.page.planned import Planned
    from totalml.review.page.shown import Revealed
    from totalml.review.said import Verdict

QUESTIONS = {
    ASK_EXPLANATION: "Is this where you would look?",
    ASK_SLICE: "Does this group fail for the same reason?",
    ASK_PLAN: "Would you do this?",
    ASK_CURVE: "Does this curve look right to you?",
}
YES_NO = {
    ASK_EXPLANATION: ("Yes", "No"),
    ASK_SLICE: ("Yes, the same reason", "No"),
    ASK_PLAN: ("I would", "I would not"),
    ASK_CURVE: ("Yes, it looks right", "No"),
}
CELLS = [(f"{(column + 0.5) / 3:.3f},{(row + 0.5) / 3:.3f}") for row in range(3) for column in range(3)]
WHERE = [f"{row} {column}".strip() for row in ("top", "middle", "bottom") for column in ("left", "centre", "right")]
MAP = "map"


@dataclass(frozen=True)
class Cards:
    """Args: form_key: what each form of this reviewer holds."""

    settings: ReviewRecipe
    signature: Signature
    form_key: str

    def card(self, item: Item, planned: Planned | None = None) -> Html:
        """An item before its verdict: nothing of it says what the model answered, unless that is what is asked about.

        Args: planned: of a plan or a curve; None: it is gone.
        """
        heading = self.settings.question if item.ask == ASK_LABEL else QUESTIONS[item.ask]
        hint = self.settings.hint if item.ask == ASK_LABEL else item.note
        if item.ask in OF_PLANS:
            hint = planned.told if planned else "This plan is no longer kept, so nobody can judge it."
        return tag(
            "article",
            tag("div", planned.drawn, class_="drawn") if planned else self._pictures(item),
            tag(
                "div",
                tag("h1", heading, id="question", tabindex=-1),
                *([tag("p", hint, class_="lead")] if hint else []),
                self._facts(item),
                self._form(item),
                class_="asked",
            ),
            class_="card",
            data_item=item.item,
            aria_labelledby="question",
        )

    def reveal(self, item: Item, verdict: Verdict, revealed: Revealed | None) -> Html:
        """What is told after a verdict that is not blind."""
        yours = tag("p", "You: ", tag("b", self.said(verdict)), class_="said")
        if revealed is None:
            told = [tag("h1", "Kept", id="question", tabindex=-1), yours]
        else:
            model = [tag("p", revealed.answer, class_="said")] if revealed.answer else []
            told = [tag("h1", self._agreement(item, verdict), id="question", tabindex=-1), yours, *model]
            told += [self._look_alikes(item, revealed)] if revealed.look_alikes else []
        looked = (
            self._where(item, verdict, revealed.where)
            if revealed is not None and revealed.map is not None
            else Html("")
        )
        onward = tag(
            "p", tag("a", "Next", href="/", class_="button main", id="next", data_key="Enter"), class_="onward"
        )
        return tag(
            "article",
            looked or self._pictures(item),
            tag("div", *told, onward, class_="asked"),
            class_="card reveal",
            data_item=item.item,
            aria_labelledby="question",
        )

    def said(self, verdict: Verdict) -> str:
        """A verdict in the recipe's words."""
        answer = verdict.answer
        if "label" in answer:
            return self._label(answer["label"])
        if "agrees" in answer:
            return "yes" if answer["agrees"] else "no"
        reason = answer.get("cannot_tell")
        return "wrong subject" if reason is None else f"cannot tell{f': {reason}' if reason else ''}"

    def _label(self, label: Mapping[str, object]) -> str:
        """Args: label: column of the truth -> value."""
        return ", ".join(self._word(value) for value in label.values() if value is not None) or "nothing"

    def _word(self, value: object) -> str:
        if isinstance(value, list | tuple):
            return ", ".join(map(self._word, value)) or "none of them"
        return self.settings.words.get(value, value) if isinstance(value, str) else f"{value:g}"

    def _agreement(self, item: Item, verdict: Verdict) -> str:
        theirs, ours = item.answer.get("predicted"), (verdict.label or {}).get("label")
        if theirs is None or ours is None:
            return "This is what the model says"
        return "The model says the same" if theirs == ours else "The model sees it otherwise"

    def _pictures(self, item: Item) -> Html:
        count = len(item.pictures)
        if not count:
            return Html("")
        names = [MAP] if item.ask == ASK_EXPLANATION else [str(place) for place in range(count)]
        shown = [
            tag("img", src=f"/pictures/{item.item}/{name}", alt=_alt(place, len(names)), decoding="async")
            for place, name in enumerate(names)
        ]
        return tag("div", *shown, class_="pictures many" if len(names) > 1 else "pictures")

    def _facts(self, item: Item) -> Html:
        names = self.settings.shows or (() if item.pictures else tuple(item.facts))
        rows = [(name, item.facts[name]) for name in names if item.facts.get(name) is not None]
        if not rows:
            return Html("")
        pairs = [tag("div", tag("dt", name_of(name)), tag("dd", name_of(str(value), 200))) for name, value in rows]
        return tag("dl", *pairs, class_="known")

    def _form(self, item: Item) -> Html:
        choices = self._choices() if item.ask == ASK_LABEL else _yes_no(item.ask)
        reasons = [
            tag("button", reason, type="submit", name="cannot_tell", value=reason)
            for reason in reasons_of(item.ask, self.settings.reasons)
        ]
        other = tag("button", "Some other reason", type="submit", name="cannot_tell", value="")
        unsure = tag(
            "details",
            tag("summary", "I cannot tell", data_key="c"),
            tag("div", *reasons, other, class_="choices small"),
        )
        wrong = tag("button", "This is something else", type="submit", name="wrong_subject", value="1", data_key="w")
        words = tag(
            "details",
            tag("summary", "Add a word", data_key="a"),
            tag("label", "What you want to say about it", tag("textarea", name="comment", rows=3, maxlength=2000)),
        )
        return tag(
            "form",
            *self._hidden(item=item.item, ticket=ticket_of(self.form_key, item.item)),
            choices,
            tag("div", unsure, *(() if item.ask in OF_PLANS else (wrong,)), words, class_="others"),
            method="post",
            action="/verdicts",
        )

    def _choices(self) -> Html:
        targets = self.signature.targets
        if self.signature.task == "classification":
            return tag("div", *(self._button(place, target) for place, target in enumerate(targets)), class_="choices")
        if self.signature.task == "multilabel":
            boxes = [
                tag("label", tag("input", type="checkbox", name="label", value=target), self._word(target))
                for target in targets
            ]
            given = tag("fieldset", tag("legend", "All that apply; none if none does"), *boxes, class_="boxes")
        else:
            given = tag("fieldset", tag("legend", "How much"), *(self._number(target) for target in targets))
        send = tag("button", "That is it", type="submit", name="send", value="1", class_="main", data_key="Enter")
        return joined(given, tag("div", send, class_="choices"))

    def _button(self, place: int, target: str) -> Html:
        key = str(place + 1) if place < 9 else None
        shown = [_key(key)] if key else []
        return tag("button", *shown, self._word(target), type="submit", name="label", value=target, data_key=key)

    def _number(self, target: str) -> Html:
        unit = self.signature.units.get(target, "")
        field = tag("input", type="number", step="any", name=f"label:{target}", inputmode="decimal", required="")
        return tag("label", f"{self._word(target)}{f' ({unit})' if unit else ''}", field)

    def _where(self, item: Item, verdict: Verdict, where: str) -> Html:
        """Where the model looked, under a grid: touched, it says where it should have."""
        cells = [
            tag("button", tag("span", where, class_="unseen"), type="submit", name="at", value=cell)
            for cell, where in zip(CELLS, WHERE, strict=True)
        ]
        grid = tag("div", *cells, class_="grid", role="group", aria_label="Where it should have looked")
        shown = tag("img", src=f"/pictures/{item.item}/{MAP}", alt=f"Where the model looked, brighter: {where}")
        told = tag("p", "Right for the wrong reason? Touch where it should have looked.", class_="hint")
        return tag(
            "form",
            *self._hidden(verdict=verdict.key, item=item.item),
            tag("div", shown, grid, class_="touchable"),
            told,
            method="post",
            action="/remarks",
            class_="pictures",
        )

    def _look_alikes(self, item: Item, revealed: Revealed) -> Html:
        shown = []
        for place, each in enumerate(revealed.look_alikes):
            label, src = self._label(each.label), f"/pictures/{item.item}/like{place}"
            picture = tag("img", src=src, alt=f"A picture like it, labelled {label}")
            shown.append(tag("figure", picture, tag("figcaption", name_of(label))))
        return joined(tag("h2", "Pictures that it finds alike"), tag("div", *shown, class_="alike"))

    def _hidden(self, **values: str) -> list[Html]:
        # A key that is made with the form: sent twice without any script, it is kept once.
        values |= {"key": uuid.uuid4().hex, "form_key": self.form_key}
        return [tag("input", type="hidden", name=name, value=value) for name, value in values.items()]


def answer_given(fields: Mapping[str, Sequence[str]], ask: str, signature: Signature) -> dict[str, object]:
    """What a form of ours says, for `read_answer`.

    Raises: ValueError: a number is none.
    """
    one = {name: values[-1] for name, values in fields.items()}
    if "cannot_tell" in fields:
        return {"cannot_tell": one["cannot_tell"]}
    if "wrong_subject" in fields:
        return {"wrong_subject": True}
    if ask != ASK_LABEL:
        return {"agrees": one.get("agrees") == "yes", **({"at": place_given(one["at"])} if one.get("at") else {})}
    if signature.task == "classification":
        return {"label": one.get("label")}
    if signature.task == "multilabel":
        return {"label": [*fields.get("label", ())]}
    numbers = {target: _number(one.get(f"label:{target}", ""), target) for target in signature.targets}
    return {"label": numbers if len(numbers) > 1 else next(iter(numbers.values()))}


def place_given(text: str) -> list[float]:
    """Raises: ValueError: it is no place."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"a place in the picture is x,y, each from 0 to 1; got {text[:40]!r}") from None


def _number(text: str, target: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"{target} wants a number, got {text[:40]!r}") from None


def _yes_no(ask: str) -> Html:
    buttons = [
        tag(
            "button", tag("kbd", key, aria_hidden="true"), word, type="submit", name="agrees", value=value, data_key=key
        )
        for key, value, word in zip("12", ("yes", "no"), YES_NO[ask], strict=True)
    ]
    return tag("div", *buttons, class_="choices")


def _key(key: str) -> Html:
    return tag("kbd", key, aria_hidden="true")


def _alt(place: int, count: int) -> str:
    return "The picture that is judged" if count == 1 else f"Picture {place + 1} of {count}"
