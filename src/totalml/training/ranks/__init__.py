"""Several processes that train as one: who they are, how they meet, what they share, and how they end."""
