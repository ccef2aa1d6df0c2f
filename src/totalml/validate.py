"""Plain values -> `Recipe`, or every mistake at once.

Components are built from the leaves up, so that a mistake inside one does not hide the mistakes beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from totalml.component import UNION, Component, ForeignComponent, Misfit
from totalml.sockets import OWN
from totalml.target import TargetError, closest, component_class, did_you_mean, foreign_component, is_ours

if TYPE_CHECKING:
    from totalml.recipe import Recipe

Path = tuple[str | int, ...]
C = TypeVar("C", bound=Component)
KEY = "[key]"  # what pydantic ends the place of a mistaken key with


@dataclass(frozen=True)
class Mistake:
    """Args:
    path: where in the recipe; the key at its end may be missing there.
    message: what is wrong and how to mend it, without the place.
    """

    path: Path
    message: str


class InvalidRecipe(Exception):
    """Carries the mistakes, in the order of the recipe."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = mistakes


def validate(values: dict[str, Any], known: Sequence[Mistake] = ()) -> Recipe:
    """Build the recipe.

    Args:
        values: the composed recipe as dicts, lists and scalars, interpolations resolved.
        known: mistakes found while composing; nothing more is said about their places.
    Raises: InvalidRecipe: with all mistakes.
    """
    from totalml.recipe import Recipe

    mistakes = list(known)
    built = _build(values, (), mistakes)
    try:
        recipe = Recipe.model_validate(built, context=_context(built))
    except ValidationError as error:
        mistakes += _news(explain(error, Recipe), mistakes)
    if mistakes:
        raise InvalidRecipe(mistakes)
    return recipe


def component_of(values: Any, kind: type[C]) -> C:
    """A component that stands by itself, in a file of its own.

    Args: values: as of `validate`.
    Raises: InvalidRecipe: with all mistakes.
    """
    mistakes: list[Mistake] = []
    built = _build(values, (), mistakes)
    if not mistakes and not isinstance(built, kind):
        mistakes.append(Mistake(("_target_",), _wrong_component("_target_", built, kind.__name__)))
    if mistakes or not isinstance(built, kind):
        raise InvalidRecipe(mistakes)
    return built


def _context(built: Any) -> dict[str, Any]:
    """What names of figures depend on."""
    from totalml.recipe import DEFAULT_TASK

    built = built if isinstance(built, dict) else {}
    evaluation = built.get("evaluation")
    own = evaluation.get("metrics") if isinstance(evaluation, dict) else None
    # Of a task with a mistake, which is None here, nobody knows what figures it has.
    task = built["task"] if "task" in built else component_class(DEFAULT_TASK)()
    return {"task": task, "metrics": [*own] if isinstance(own, dict) else []}


def dotted(path: Path) -> str:
    """`training.augment[0].scale`."""
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in path).removeprefix(".")


def _build(value: Any, path: Path, mistakes: list[Mistake]) -> Any:
    if isinstance(value, list):
        return [_build(item, (*path, index), mistakes) for index, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    built = {key: _build(item, (*path, key), mistakes) for key, item in value.items()}
    if "_target_" not in built:
        return built
    target = built.pop("_target_")
    try:
        return _component(target, built, path)
    except InvalidRecipe as error:
        mistakes += _news(error.mistakes, mistakes)
        return None


def _component(target: Any, arguments: dict[str, Any], path: Path) -> Component | ForeignComponent:
    try:
        if not is_ours(target) or any(socket.takes(target) for socket in OWN):
            return foreign_component(target, arguments)
        cls = component_class(target)
    except TargetError as error:
        raise InvalidRecipe([Mistake((*path, "_target_"), str(error))]) from error
    except ExceptionGroup as group:
        raise InvalidRecipe([_misfit(error, path) for error in group.exceptions]) from group
    try:
        return cls.model_validate(arguments)
    except ValidationError as error:
        raise InvalidRecipe(explain(error, cls, path)) from error


def _misfit(error: Exception, path: Path) -> Mistake:
    argument = getattr(error, "argument", None) or "_target_"
    return Mistake((*path, argument), str(error))


def _news(found: list[Mistake], known: list[Mistake]) -> list[Mistake]:
    """Those that do not merely follow from a known mistake at the same place or below it."""
    broken = [mistake.path for mistake in known]
    return [new for new in found if not any(path[: len(new.path)] == new.path for path in broken)]


def explain(error: ValidationError, model: type[BaseModel], prefix: Path = ()) -> list[Mistake]:
    """Every mistake in values that are no such model, for the person who wrote them."""
    mistakes, details = [], error.errors(include_url=False)
    unknown = [detail["loc"][:-1] for detail in details if detail["loc"][-1:] == (KEY,)]
    misspelt = {_meant(detail["loc"], model) for detail in details if detail["type"] == "extra_forbidden"}
    for detail in details:
        if detail["loc"][-1:] != (KEY,) and any(detail["loc"][: len(key)] == key for key in unknown):
            continue  # what stands under a key that there is not
        if detail["type"] == "missing" and detail["loc"] in misspelt:
            continue
        if detail["type"] == "too_short" and any(_is_below(other["loc"], detail["loc"]) for other in details):
            continue  # pydantic counts only the items that are whole
        cause = detail.get("ctx", {}).get("error")
        detail["loc"] += cause.below if isinstance(cause, Misfit) else ()
        detail["loc"] = tuple(part for part in detail["loc"] if not str(part).startswith(UNION))
        mistakes.append(Mistake((*prefix, *detail["loc"]), _message(detail, model, prefix)))
    return mistakes


def _meant(loc: Path, model: type[BaseModel]) -> Path:
    """The place of the key that is taken to be meant by one that there is not."""
    holder = _model_at(model, loc[:-1])
    return (*loc[:-1], closest(str(loc[-1]), holder.model_fields if holder else ()) or "")


def _is_below(path: Path, holder: Path) -> bool:
    return len(path) > len(holder) and path[: len(holder)] == holder


def _message(detail: ErrorDetails, model: type[BaseModel], prefix: Path) -> str:
    loc = detail["loc"]
    name, given, kind = dotted((*prefix, *loc)), detail["input"], detail["type"]
    if loc[-1:] == (KEY,) and kind == "literal_error":
        known = detail["ctx"]["expected"].replace("'", "")
        hint = _literal_hint(given, detail) or f"; known keys: {known}"
        return f"unknown key {dotted((*prefix, *loc[:-1]))!r}{hint}"
    if loc[-1:] == (KEY,):
        return f"a key of {dotted((*prefix, *loc[:-2]))!r} should be text, got {given!r}{_quotes_hint(given)}"
    if kind == "extra_forbidden":
        holder = _model_at(model, loc[:-1])
        options = list(holder.model_fields) if holder else []
        hint = did_you_mean(str(loc[-1]), options) or f"; known keys: {', '.join(options) or 'none'}"
        return f"unknown key {name!r}{hint}"
    if kind == "missing":
        return f"missing key {name!r}"
    if kind == "is_instance_of":
        return _wrong_component(name, given, str(detail["ctx"]["class"]))
    if kind == "value_error":
        return f"{name + ': ' if name else ''}{detail['ctx']['error']}"
    if kind in ("model_type", "dict_type") and (section := _model_at(model, loc)):
        return f"{name!r} should hold keys: {', '.join(section.model_fields)}; got {_short(given)}"
    if kind == "too_short":
        return f"{name!r} should hold {detail['ctx']['min_length']} or more, got {_short(given)}"
    wanted = detail["msg"].replace("Input should be", "should be").replace("String should", "should")
    wanted = wanted.replace("a valid tuple", "a list")  # YAML knows no other
    hint = _quotes_hint(given) if kind == "string_type" else _literal_hint(given, detail)
    return f"{name!r} {wanted}, got {_short(given)}{hint}"


def _wrong_component(name: str, given: Any, wanted: str) -> str:
    kind = "a class of torch" if wanted == ForeignComponent.__name__ else f"a component of kind {wanted}"
    if isinstance(given, Component):
        return f"{name!r} should be {kind}; {given.public_path()} is none"
    if isinstance(given, ForeignComponent):
        return f"{name!r} should be {kind}; {given.target} is none"
    return f"{name!r} should be {kind}, named by a _target_, got {_short(given)}"


def _literal_hint(given: Any, detail: ErrorDetails) -> str:
    if detail["type"] != "literal_error" or not isinstance(given, str):
        return ""
    return did_you_mean(given, detail["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", "))


def _quotes_hint(given: Any) -> str:
    """What to do about text that YAML reads as another type."""
    words = {bool: f"{str(given).lower()}, {'yes and on' if given else 'no and off'} as a truth value"}
    numbers = dict.fromkeys((int, float), "it as a number")
    read = (words | numbers).get(type(given))
    return f"; YAML reads {read}: put the word in quotes (on the command line: 'key=\"word\"')" if read else ""


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _model_at(model: type[BaseModel] | None, loc: Path) -> type[BaseModel] | None:
    """The section whose keys stand at `loc`."""
    keys = iter(loc)
    for key in keys:
        if isinstance(key, int):  # in a list of sections
            continue
        if model is None or key not in model.model_fields:
            return None
        annotation = model.model_fields[key].annotation
        kinds = [annotation, *get_args(annotation)]
        model = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
        if get_origin(annotation) is dict:  # of sections, by names that are no fields
            next(keys, None)
    return model
