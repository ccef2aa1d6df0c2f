"""The whole shape of `team.yaml`, and what holds for a model: its own part of the file before the common one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from totalml.component import Items, Misfit, Section
from totalml.recipe.alerting import VERDICTS, Address
from totalml.target import did_you_mean

ALL = "all"  # verdicts
LONGEST = 64  # characters of a name
_HANDLE = re.compile(r"@[A-Za-z0-9-]{1,39}(/[A-Za-z0-9._-]{1,100})?")


def _is_person(text: str) -> str:
    if not text or len(text) > LONGEST or not text.isprintable() or "," in text or text != text.strip():
        raise ValueError(f"expected the name of a machine's user such as ann, got {text!r}")
    return text


def _is_handle(text: str) -> str:
    if not _HANDLE.fullmatch(text):
        raise ValueError(f"expected a person or a team of GitHub such as '@ann' or '@pub/ops', got {text!r}")
    return text


Person = Annotated[str, AfterValidator(_is_person)]
Persons = Annotated[Items[Person], Field(min_length=1)]


class Roles(Section):
    """Args:
    owner: answers for the model.
    reviewers: judge recipes, and what the model said.
    may_promote: move aliases, forward and back; None: the owner.
    may_deploy: apply files of deployments/, and bring challengers further; None: the owner.
    told: whose alerts are, by verdict, and of `all`; None: all are the owner's.
    """

    owner: Person | None = None
    reviewers: Items[Person] | None = None
    may_promote: Persons | None = None
    may_deploy: Persons | None = None
    told: dict[str, Items[Person]] | None = None

    @field_validator("told")
    @classmethod
    def _of_verdicts(cls, told: dict[str, tuple[str, ...]] | None) -> dict[str, tuple[str, ...]] | None:
        _require_known("no monitor has the verdict", told or {}, (ALL, *VERDICTS))
        return told

    def persons(self) -> set[str]:
        lists = (self.reviewers, self.may_promote, self.may_deploy, *(self.told or {}).values())
        return {*([self.owner] if self.owner else []), *(person for each in lists for person in each or ())}


ROLES = tuple(Roles.model_fields)


class Contact(Section):
    """Args:
    handle: on GitHub, of a person or a team.
    """

    handle: Annotated[str, AfterValidator(_is_handle)] | None = None
    mail: Address | None = None


class TeamFile(Roles):
    """Args:
    models: what is otherwise for a model; what is not named there is as above.
    people: how GitHub knows them.
    """

    owner: Person
    models: dict[str, Roles] = Field(default_factory=dict)
    people: dict[str, Contact] = Field(default_factory=dict)

    @field_validator("models")
    @classmethod
    def _of_recipes(cls, models: dict[str, Roles], info: ValidationInfo) -> dict[str, Roles]:
        if info.context is not None:
            _require_known("there is no recipe", models, info.context["recipes"])
        return models

    @field_validator("people")
    @classmethod
    def _play_a_part(cls, people: dict[str, Contact], info: ValidationInfo) -> dict[str, Contact]:
        if {*ROLES, "models"} <= info.data.keys():  # else nobody knows who was meant
            parts = (Roles(**{role: info.data[role] for role in ROLES}), *info.data["models"].values())
            _require_known("no role is given to", people, sorted(set().union(*(each.persons() for each in parts))))
        return people

    def of(self, model: str = "") -> Team:
        """What holds for a model; empty: for those without a part of their own."""
        own = self.models.get(model, Roles())
        given = {role: value for part in (self, own) for role in ROLES if (value := getattr(part, role)) is not None}
        owner = (given["owner"],)
        unsaid: dict[str, Any] = {"reviewers": (), "may_promote": owner, "may_deploy": owner, "told": {ALL: owner}}
        return Team(**(unsaid | given))

    def written(self, role: str, model: str = "") -> tuple[str, ...]:
        """The keys below which it stands who has a role, so that one can be sent there."""
        own = self.models.get(model)
        if own is not None and getattr(own, role) is not None:
            return "models", model, role
        return (role,) if getattr(self, role) is not None else self.written("owner", model)


@dataclass(frozen=True)
class Team:
    """As `Roles`, with nothing left unsaid."""

    owner: str
    reviewers: tuple[str, ...]
    may_promote: tuple[str, ...]
    may_deploy: tuple[str, ...]
    told: Mapping[str, tuple[str, ...]]

    @property
    def members(self) -> tuple[str, ...]:
        """Each once, the owner first."""
        told = (person for persons in self.told.values() for person in persons)
        return tuple(dict.fromkeys((self.owner, *self.reviewers, *self.may_promote, *self.may_deploy, *told)))

    def told_of(self, verdict: str) -> tuple[str, ...]:
        """Whose an alert is, each once; those of its verdict first."""
        return tuple(dict.fromkeys((*self.told.get(verdict, ()), *self.told.get(ALL, ()))))


def _require_known(what: str, names: Mapping[str, Any], known: Collection[str]) -> None:
    """Raises: Misfit: some are not; all of them."""
    unknown = [name for name in names if name not in known]
    if unknown:
        there = f"; there are: {', '.join(known) or 'none'}"
        told = (f"{what} {name!r}{did_you_mean(name, known) or there}" for name in unknown)
        raise Misfit("; ".join(told), unknown[0])
