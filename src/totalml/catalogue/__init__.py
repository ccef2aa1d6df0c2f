"""The shared features of a project: what there is, what uses it, what is kept of it, and what changed."""
