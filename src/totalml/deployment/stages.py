"""The stages that a challenger goes through; and, of the first three, for whom a release scores."""

SHADOW, CANARY, LIVE, STOPPED = "shadow", "canary", "live", "stopped"
