"""Verdicts as files that other tools read and write: Parquet, and JSON of Label Studio."""
