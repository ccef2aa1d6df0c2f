"""Plain values, such as a composed recipe: what differs between two of them, and how they are shown in a line."""
