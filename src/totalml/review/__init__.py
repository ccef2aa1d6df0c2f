"""Experts who know no machine learning judge a model, and their verdicts become data."""
