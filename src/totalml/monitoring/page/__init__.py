"""What a monitor saw and said, as one page for people."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.monitoring.page.content import KeptPicture, MonitorContent, Season, Volume
    from totalml.monitoring.page.page import write_monitor_page

__all__ = ["KeptPicture", "MonitorContent", "Season", "Volume", "write_monitor_page"]

__getattr__ = lazy_exports(__name__)
