"""`review`: what people who know the subject are asked about a model, and who of them about what.

It says nothing about how a model is made, so it does not count for the config hash.
"""

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from totalml.component import Items, Section
from totalml.recipe.bounds import Label, Positive, Share


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("nobody can read a blank line; write a word or leave it out")
    return text


def _none_is_empty(words: object) -> object:
    """So that a recipe can drop what the one that it is made from says of other labels."""
    return {} if words is None else words


Line = Annotated[str, Field(max_length=200), AfterValidator(_not_blank)]
Policy = Literal["majority", "unanimous", "weighted"]


class QueueShares(Section):
    """Of the items that are drawn, how many each way; what a queue lacks, the others take.

    Args:
        control: by chance, always judged blind: live accuracy is estimated from these alone.
        uncertain: of which the model is least sure.
        out_of_distribution: that are farthest from what it was trained on.
        disagreement: of which two releases say different things.
        slices: of groups in which the model errs more often.
        gold: of which the truth is known, to see how reviewers err.
    """

    control: Annotated[float, Field(gt=0, le=1)] = 0.3
    uncertain: Share = 0.25
    out_of_distribution: Share = 0.15
    disagreement: Share = 0.1
    slices: Share = 0.1
    gold: Share = 0.1

    @model_validator(mode="after")
    def _are_one(self) -> Self:
        total = sum(vars(self).values())
        if abs(total - 1) > 1e-6:
            told = ", ".join(f"{name} {share:g}" for name, share in vars(self).items())
            raise ValueError(f"the shares sum to {total:g}, not 1: {told}")
        return self


class ReviewRecipe(Section):
    """Args:
    question: in the words of those who answer it.
    hint: what to look at; empty: nothing is said.
    words: label -> what the button says; a label that is not named says itself. None: as if none were.
    reasons: why somebody cannot tell.
    overlap: people who judge each item.
    count: of items that one draw puts in the queue.
    shares: of the queues.
    lease_minutes: for which an item is one person's alone.
    policy: by which several verdicts of one item become a label.
    tolerance: of a target that is a number, how far from the median people still agree, in its unit; none: not at all.
    shows: metadata columns that are shown beside the picture; none: of a table all, of a picture none.
    """

    question: Line = "Which is it?"
    hint: Annotated[str, Field(max_length=1000)] = ""
    words: Annotated[dict[Label, Line], BeforeValidator(_none_is_empty)] = Field(default_factory=dict)
    reasons: Items[Line] = ("too dark or blurred", "not enough to see", "between two")
    overlap: Annotated[int, Field(ge=1, le=100)] = 1
    count: Positive = 200
    shares: QueueShares = QueueShares()
    lease_minutes: Annotated[float, Field(gt=0, le=24 * 60)] = 10.0
    policy: Policy = "majority"
    tolerance: dict[Label, Annotated[float, Field(ge=0)]] = Field(default_factory=dict)
    shows: Items[Line] = ()

    def ruled_by(self, policy: Policy | None) -> Self:
        """By another policy; None: by its own."""
        return self if policy is None else self.model_copy(update={"policy": policy})

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        """Two buttons that say the same would be one answer by chance."""
        said = [*self.words.values()]
        if twice := sorted({word for word in said if said.count(word) > 1}):
            labels = ", ".join(label for label, word in self.words.items() if word in twice)
            raise ValueError(f"words of {labels} say the same, {', '.join(map(repr, twice))}; say each in other words")
        return self
