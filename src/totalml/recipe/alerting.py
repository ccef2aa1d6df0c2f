"""`alerts`: by which channels people are told what a monitor found, how often, and what follows by itself.

A secret is named by its environment variable and stands in no file.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from totalml.component import Items, Misfit, Section
from totalml.recipe.bounds import Name
from totalml.target import did_you_mean

SEVERITIES = ("ticket", "page")  # the gentler first
VERDICTS = ("data quality", "new covariate", "concept", "unknown", "expected season", "not enough data")
KINDS = ("console", "jsonl", "webhook", "email", "apprise", "wandb")

Severity = Literal["ticket", "page"]
Reaction = Literal["propose", "rollback", "shadow", "queue_labels", "retrain"]
# A file that somebody sends in must not be able to have another secret of the environment sent away.
Variable = Annotated[str, Field(pattern=r"^TOTALML_[A-Z0-9_]{1,56}$")]
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}@[A-Za-z0-9.-]{1,190}")
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}|[0-9A-Fa-f:.]{2,45}")
_OVERRIDE = re.compile(r"\+{0,2}(?!hydra\b)[a-z]\w*([./]\w+)*=[^\n\r]{0,2000}", re.ASCII)


def _below_the_project(name: str) -> str:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or not name.isprintable() or not path.name:
        raise ValueError(f"expected a file below the project such as alerts.jsonl, got {name!r}")
    return name


def _is_web(url: str) -> str:
    if not url.isprintable() or " " in url:
        raise ValueError("a URL holds no spaces and no line ends")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.fragment:
        raise ValueError(f"expected http://... or https://..., got {url!r}")
    if parts.username or parts.password:
        raise ValueError("the URL holds a password; leave it out, as the receiver knows us by secret_variable")
    _ = parts.port  # ValueError: it is none
    return url


def _is_address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError(f"expected an address such as ops@example.org, got {text!r}")
    return text


def _is_host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"expected a host such as smtp.example.org, got {text!r}")
    return text


Address = Annotated[str, AfterValidator(_is_address)]


class ConsoleRecipe(Section):
    """On stderr of the process that delivers."""


class JsonlRecipe(Section):
    """A line of a file for each notice."""

    file: Annotated[str, Field(min_length=1, max_length=400), AfterValidator(_below_the_project)]


class WebhookRecipe(Section):
    """A POST of JSON, signed as the Standard Webhooks have it if `secret_variable` is given."""

    url: Annotated[str, Field(max_length=2000), AfterValidator(_is_web)]
    secret_variable: Variable | None = None


class EmailRecipe(Section):
    """Args:
    sender: the address that it comes from.
    user: None: the server takes it without.
    tls: starttls, implicit (port 465), or plain, which sends no password.
    """

    to: Annotated[Items[Address], Field(min_length=1, max_length=50)]
    sender: Address
    host: Annotated[str, AfterValidator(_is_host)]
    port: Annotated[int, Field(gt=0, lt=2**16)] = 587
    user: Annotated[str, Field(min_length=1, max_length=320)] | None = None
    password_variable: Variable = "TOTALML_SMTP_PASSWORD"  # noqa: S105
    tls: Literal["starttls", "implicit", "plain"] = "starttls"

    @model_validator(mode="after")
    def _sends_no_password_in_the_open(self) -> Self:
        if self.user is not None and self.tls == "plain":
            raise Misfit("a password would be sent in the open; use starttls or implicit", "tls")
        return self


class AppriseRecipe(Section):
    """Any service of the package apprise, by its URL, which holds its secrets and so stands in a variable."""

    url_variable: Variable


class WandbRecipe(Section):
    """An alert of the W&B run that the release was made of."""


class ChannelRecipe(Section):
    """One of its kinds, and from which severity on it is used.

    Args:
        name: by which the journal knows what arrived there; None: the kind. Two of a kind need names.
    """

    console: ConsoleRecipe | None = None
    jsonl: JsonlRecipe | None = None
    webhook: WebhookRecipe | None = None
    email: EmailRecipe | None = None
    apprise: AppriseRecipe | None = None
    wandb: WandbRecipe | None = None
    at_least: Severity = "ticket"
    name: Name | None = None

    @property
    def kind(self) -> str:
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def title(self) -> str:
        return self.name or self.kind

    def takes(self, severity: str) -> bool:
        return SEVERITIES.index(severity) >= SEVERITIES.index(self.at_least)

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            told = " and ".join(given) or "none; `console: {}` is the plainest"
            raise ValueError(f"a channel is one of {', '.join(KINDS)}; this one has {told}")
        return self


class RetrainRecipe(Section):
    """Args:
    recipe: None: that of the model.
    overrides: which samples it learns from, such as `data.source.table=recent.csv`.
    start: whether it is started, where the project lies; otherwise the command is proposed.
    """

    recipe: Name | None = None
    overrides: Items[str] = ("data.snapshot=null",)
    start: bool = False

    @field_validator("overrides")
    @classmethod
    def _override(cls, overrides: tuple[str, ...]) -> tuple[str, ...]:
        for place, each in enumerate(overrides):
            if not _OVERRIDE.fullmatch(each):
                raise Misfit(f"expected a key and its value such as training.epochs=5, got {each!r}", place)
        return overrides


class AlertingRecipe(Section):
    """Args:
    cooldown_hours: that an alert goes on before it is told again, unless somebody acknowledged it; and that lie at
        least between two rollbacks without a person.
    reactions: verdict -> what follows; `propose` for those that are not named.
    """

    channels: Items[ChannelRecipe] = (ChannelRecipe(console=ConsoleRecipe()),)
    cooldown_hours: Annotated[float, Field(gt=0, le=8784)] = 24.0
    reactions: dict[str, Items[Reaction]] = Field(default_factory=dict)
    retrain: RetrainRecipe = RetrainRecipe()

    def reactions_to(self, verdict: str) -> tuple[Reaction, ...]:
        return self.reactions.get(verdict, ("propose",))

    def titles(self, severity: str) -> tuple[str, ...]:
        """Of the channels that take such an alert."""
        return tuple(each.title for each in self.channels if each.takes(severity))

    @field_validator("channels")
    @classmethod
    def _told_apart(cls, channels: tuple[ChannelRecipe, ...]) -> tuple[ChannelRecipe, ...]:
        titles = [each.title for each in channels]
        for place, title in enumerate(titles):
            if titles.index(title) != place:
                raise Misfit(f"two channels are called {title!r}; give one of them a name", place)
        return channels

    @field_validator("reactions")
    @classmethod
    def _to_verdicts(cls, reactions: dict[str, tuple[Reaction, ...]]) -> dict[str, tuple[Reaction, ...]]:
        for verdict in reactions:
            if verdict not in VERDICTS:
                hint = did_you_mean(verdict, VERDICTS) or f"; there are: {', '.join(VERDICTS)}"
                raise Misfit(f"no monitor has the verdict {verdict!r}{hint}", verdict)
        return reactions
