"""How accuracy falls as pictures get worse."""
