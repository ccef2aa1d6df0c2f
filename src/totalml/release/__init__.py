"""A finished run as a release: a model that is served without torch."""
