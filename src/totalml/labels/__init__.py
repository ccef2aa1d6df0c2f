"""What somebody said later is true of a prediction; joined with it by request id, it tells which answers were wrong."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.labels.join import joined
    from totalml.labels.label import Label, read_labels, truth_of
    from totalml.labels.labels import Labels

__all__ = ["Label", "Labels", "joined", "read_labels", "truth_of"]

__getattr__ = lazy_exports(__name__)
