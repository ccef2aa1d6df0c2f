"""How far the confidence can be trusted, what would mend it, and from which probability on to act."""
