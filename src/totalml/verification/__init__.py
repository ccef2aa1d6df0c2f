"""Run a finished run again, and tell whether and where something else comes out."""
