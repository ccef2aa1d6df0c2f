"""Releases: what a run's model needs to answer anywhere, whole, immutable, and named by the hash of all of it."""
