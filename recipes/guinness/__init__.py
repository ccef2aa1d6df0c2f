"""Pints of Guinness drawn from a seed: photos, masks, ratings and metadata, bit-identical on every machine."""
