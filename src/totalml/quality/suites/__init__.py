"""Suites of deepchecks, run on our tables and pictures; what they say becomes records of ours."""
