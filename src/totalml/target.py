"""`_target_` -> class: which names a recipe may use, found before any work is done."""

import importlib
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from totalml.component import Component, ForeignComponent
from totalml.definitions import names_in
from totalml.guards import refusals
from totalml.identity import canonical
from totalml.signature import Signature, signature_of
from totalml.sockets import FOREIGN, OWN, Socket, is_near, socket_of

OURS = ("totalml", "recipes")

_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", re.ASCII)

# Parameters that the code which creates the object hands over itself.
HANDED_OVER = ("params", "optimizer")


class TargetError(ValueError):
    """Args:
    message: what is wrong.
    argument: the argument at fault; None: the `_target_` itself.
    """

    def __init__(self, message: str, argument: str | None = None) -> None:
        super().__init__(message)
        self.argument = argument


def closest(name: str, options: Collection[str]) -> str | None:
    """The option that a misspelt name most likely means; capitals do not matter."""
    folded = {option.casefold(): option for option in options}
    close = get_close_matches(name.casefold(), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close and folded[close[0]] != name else None


def did_you_mean(name: str, options: Collection[str]) -> str:
    """`, did you mean 'x'?` or an empty text."""
    return f", did you mean {close!r}?" if (close := closest(name, options)) else ""


def component_class(target: str) -> type[Component]:
    """The component of ours, or of a recipe, that `target` names.

    Raises: TargetError: it is not there, or is no component.
    """
    module_name, _, name = target.rpartition(".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if module_name == error.name or module_name.startswith(f"{error.name}."):
            raise TargetError(f"there is no module {error.name!r}") from error
        raise TargetError(f"module {module_name!r} needs {error.name!r}, which is not installed") from error
    except Exception as error:
        raise TargetError(f"module {module_name!r} cannot be imported: {error}") from error
    found = getattr(module, name, None)
    if found is None:
        raise TargetError(f"{module_name!r} has no {name!r}{did_you_mean(name, _public_names(module))}")
    if not (isinstance(found, type) and issubclass(found, Component)):
        raise TargetError(f"{target!r} is not a component; a model may also be a LightningModule")
    if found.__abstractmethods__:
        if found.__abstractmethods__ <= {*vars(found)}:  # it is what asks for them
            raise TargetError(f"{target!r} is a kind of component; name one of that kind")
        lacks = ", ".join(sorted(found.__abstractmethods__))
        kind = next(each.__name__ for each in found.__mro__[1:] if found.__abstractmethods__ & {*vars(each)})
        raise TargetError(f"{target!r} lacks {lacks}, which every {kind} needs: write it")
    return found


def foreign_component(target: str, arguments: Mapping[str, Any]) -> ForeignComponent:
    """A class of another package that some socket takes, with arguments that fit its signature.

    Raises: ExceptionGroup of TargetError: no socket takes it, or arguments do not fit; all at once.
    """
    socket, signature = socket_of(target), signature_of(target)
    if socket is None or signature is None:
        raise ExceptionGroup(target, [TargetError(_refusal(target))])
    misfits = _misfits(target, signature, arguments) or _refused(target, arguments, socket)
    if misfits:
        raise ExceptionGroup(target, misfits)
    return ForeignComponent(target=target, arguments=dict(arguments))


def _refusal(target: str) -> str:
    module, _, name = target.rpartition(".")
    package = target.partition(".")[0]
    if is_near(target) and find_spec(package) is None:
        return f'{target!r} needs {package!r}, which is not installed: python -m pip install "totalml[train]"'
    if is_near(target) and signature_of(target) is None:
        return f"{module!r} has no {name!r}{did_you_mean(name, names_in(module))}"
    allowed = [f"{socket.noun} of {socket.under}" for socket in FOREIGN if socket not in OWN]
    named = f"{', '.join(allowed[:-1])} or {allowed[-1]}"
    return f"{target!r} is not allowed; name a component of totalml or recipes, {named}"


def is_ours(target: Any) -> bool:
    """Whether a target names something of totalml or recipes.

    Raises: TargetError: it is no dotted name.
    """
    if not isinstance(target, str) or not _DOTTED.fullmatch(target):
        raise TargetError(f"expected a dotted name such as totalml.data.ImageFolder, got {target!r}")
    return target.partition(".")[0] in OURS


def _misfits(target: str, signature: Signature, arguments: Mapping[str, Any]) -> list[TargetError]:
    name = target.rpartition(".")[2]
    allowed = [option for option in signature.names if option not in HANDED_OVER]
    found = [TargetError(problem, key) for key, value in arguments.items() if (problem := _not_plain(key, value))]
    found += [
        TargetError(f"{name} takes no argument {key!r}{did_you_mean(str(key), allowed) or _list(allowed)}", key)
        for key in arguments
        if key not in allowed and (not signature.open_ended or not str(key).isidentifier() or str(key).startswith("_"))
    ]
    missing = [key for key in signature.required if key not in arguments and key not in HANDED_OVER]
    if missing:
        found.append(TargetError(f"{name} needs {', '.join(map(repr, missing))}"))
    return found


def _refused(target: str, arguments: Mapping[str, Any], socket: Socket) -> list[TargetError]:
    name = target.rpartition(".")[2]
    return [
        TargetError(f"{name} refuses {_shown(each.argument, arguments)}: {each.reason}", each.argument)
        for each in refusals(target, arguments, socket.base)
    ]


def _shown(argument: str | None, arguments: Mapping[str, Any]) -> str:
    return f"{argument}={arguments[argument]!r}" if argument else "its arguments"


def _not_plain(key: str, value: Any) -> str | None:
    """Why a value cannot be an argument: it must have one canonical form to be hashed."""
    try:
        canonical(value)
    except ValueError as error:
        return f"{key!r} should be plain finite values, got {value!r}: {error}"
    return None


def _list(names: Collection[str]) -> str:
    return f"; it takes {', '.join(names)}" if names else ""


def _public_names(module: ModuleType) -> list[str]:
    """By name alone: looking at a lazily imported attribute could import torch."""
    return [name for name in getattr(module, "__all__", vars(module)) if name[:1].isupper()]
