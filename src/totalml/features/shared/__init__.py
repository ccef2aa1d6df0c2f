"""Features that a team shares by name: what they make of rows, and the values that are kept of them."""
