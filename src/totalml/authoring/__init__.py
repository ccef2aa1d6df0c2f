"""Writing recipes and reviewing them: the verbs `totalml recipe new`, `check` and `diff`."""
