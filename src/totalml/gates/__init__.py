"""Whether a model may be released: declared conditions on any figure of its run, judged with their intervals."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.gates.judgement import judge
    from totalml.gates.production import bring_production, current_verdict, production_of
    from totalml.gates.record import GateResult, Verdict

__all__ = ["GateResult", "Verdict", "bring_production", "current_verdict", "judge", "production_of"]

_HOMES = {
    "GateResult": "record",
    "Verdict": "record",
    "bring_production": "production",
    "judge": "judgement",
    "production_of": "production",
    "current_verdict": "production",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
