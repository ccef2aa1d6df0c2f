"""Which release answers where: a file in Git, applied as one event of the journal."""
