"""What deepchecks says of the predictions, beside metadata and pictures."""
