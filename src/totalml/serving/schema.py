"""What bodies and answers look like, for `/openapi.json`. Tests hold the service to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import models_json_schema

if TYPE_CHECKING:
    from fastapi import FastAPI

REF = "#/components/schemas/{model}"
BINARY = {"schema": {"type": "string", "format": "binary"}}


class Reason(BaseModel):
    """Why there is no answer."""

    error: str
    request_id: str = ""


class Rows(BaseModel):
    """A row for each sample, with the columns that `/version` names."""

    model_config = ConfigDict(extra="forbid")
    rows: list[dict[str, str | float | bool | None]] = Field(min_length=1)
    history: list[dict[str, str | float | bool | None]] = Field(
        default=[], description="rows of before, which features look back at; they are not answered"
    )


class Label(BaseModel):
    """What is true of a sample; without `id`, of each sample of its request."""

    model_config = ConfigDict(extra="forbid")
    request_id: str = Field(min_length=1, description="as in the answer")
    id: str | None = Field(default=None, min_length=1, description="of the sample, as in the answer")
    label: str | float | list[str] | dict[str, float] = Field(
        description="a class; a list of labels; a number, or where there are several an object of them"
    )


class Labels(BaseModel):
    """They are held against the signature that `/version` tells."""

    model_config = ConfigDict(extra="forbid")
    labels: list[Label] = Field(min_length=1)


class Kept(BaseModel):
    """How many labels are in the store by now: all, or none."""

    kept: int
    request_id: str


class Prediction(BaseModel):
    """Besides its id, what the signature at `/version` says."""

    model_config = ConfigDict(extra="allow")
    id: str


class Predictions(BaseModel):
    """Of all samples of a request, in their order."""

    model: str
    release: str
    request_id: str
    predictions: list[Prediction]


class Figure(BaseModel):
    """A figure with its bounds; without them, nothing says how sure it is."""

    value: float | None
    low: float | None
    high: float | None
    note: str | None


class Advised(BaseModel):
    """What to do with the levers: times what was used, and what that brings more than to change nothing."""

    kind: Literal["change", "nothing", "unsure", "forced"]
    factors: dict[str, float]
    gain: Figure
    promised: float = Field(description="the gain before it was marked down for having been chosen")
    parts: dict[str, Figure]
    cost: float
    budget: float | None


class Planned(BaseModel):
    """A plan, for the samples of the test split from `since` to `until`."""

    model: str
    release: str
    request_id: str
    target: str
    unit: str = Field(description="of gains and costs")
    value: float = Field(description="of one of the target")
    since: str
    until: str
    confidence: float
    spent: dict[str, float] = Field(description="what each lever cost")
    advice: Advised
    tried: Advised | None = Field(description="what looked best, where that may as well lose")


class Bound(BaseModel):
    model_config = ConfigDict(extra="forbid")
    least: float | None = None
    most: float | None = None


class Question(BaseModel):
    """What is left out stays as the plan was made."""

    model_config = ConfigDict(extra="forbid")
    budget: float | Literal["same", "free"] | None = None
    levers: dict[str, Bound] = Field(default={}, description="between which factors each may be")


REASONS: dict[int | str, dict[str, Any]] = {
    400: {"model": Reason, "description": "The body cannot be read"},
    401: {"model": Reason, "description": "The token is missing or wrong"},
    408: {"model": Reason, "description": "The body took too long"},
    413: {"model": Reason, "description": "Too large, or too many samples"},
    422: {"model": Reason, "description": "A picture or a value that cannot be used"},
    500: {"model": Reason, "description": "The service failed; its own log says how"},
    503: {"model": Reason, "description": "Too much at once; come again after Retry-After"},
}
NO_TOKEN: dict[int | str, dict[str, Any]] = {401: REASONS[401]}
PREDICT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/*": BINARY,
            "application/json": {"schema": {"$ref": REF.format(model=Rows.__name__)}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "picture": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "rows": {"type": "string", "description": "JSON: a row for each picture"},
                    },
                }
            },
        },
    },
    "parameters": [
        {
            "name": "explain",
            "in": "query",
            "description": "1: with a map of what the model looked at",
            "schema": {"type": "string", "enum": ["0", "1"]},
        },
        {
            "name": "metadata",
            "in": "query",
            "description": "JSON: the row of a picture that is the body",
            "schema": {"type": "string"},
        },
    ],
}

PLAN: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": REF.format(model=Question.__name__)}}},
    }
}
FEEDBACK: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": REF.format(model=Labels.__name__)}}},
    }
}


def describe(app: FastAPI, *bodies: type[BaseModel]) -> None:
    """Args: bodies: read by the routes themselves, so that FastAPI does not know them."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _, found = models_json_schema([(body, "validation") for body in bodies], ref_template=REF)
            made()["components"]["schemas"] |= found["$defs"]
        return made()

    app.openapi = described  # type: ignore[method-assign]
