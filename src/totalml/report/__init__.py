"""What a run found, as one page for people and one table for the terminal."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.report.closing import closing_table, show_closing_table
    from totalml.report.content import ReportContent
    from totalml.report.model_card import write_model_card
    from totalml.report.page import write_report

__all__ = ["ReportContent", "closing_table", "show_closing_table", "write_model_card", "write_report"]

__getattr__ = lazy_exports(__name__)
