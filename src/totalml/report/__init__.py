"""What a run found, as one page for people and one table for the terminal."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from totalml.report.closing import closing_table, show_closing_table
    from totalml.report.content import ReportContent
    from totalml.report.model_card import write_model_card
    from totalml.report.page import write_report

_HOMES = {
    "ReportContent": "content",
    "closing_table": "closing",
    "show_closing_table": "closing",
    "write_model_card": "model_card",
    "write_report": "page",
}
__all__ = ["ReportContent", "closing_table", "show_closing_table", "write_model_card", "write_report"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
