"""A memo of what a finished run's command printed, told again before Hydra is imported if nothing has changed since."""
