"""What a team may bring along, one class each: a LightningModule, a loss, a metric, a transform, a feature."""
