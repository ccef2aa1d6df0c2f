"""What people are told when a model breaks: kept until they know, told once, by the channels that they chose."""

from typing import TYPE_CHECKING

from totalml.lazy import lazy_exports

if TYPE_CHECKING:
    from totalml.alerts.alert import Alert, Reacted
    from totalml.alerts.alerts import Alerts
    from totalml.alerts.delivery import Delivery
    from totalml.alerts.finding import Finding, Sample
    from totalml.alerts.react import React
    from totalml.alerts.read import read_alerting
    from totalml.alerts.review import queued

__all__ = ["Alert", "Alerts", "Delivery", "Finding", "React", "Reacted", "Sample", "queued", "read_alerting"]

__getattr__ = lazy_exports(__name__)
