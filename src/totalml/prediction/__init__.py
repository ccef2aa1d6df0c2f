"""A release over many samples at once: what a service would answer, in one file, whatever interrupted it."""
