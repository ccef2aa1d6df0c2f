"""What a team may bring along: a LightningModule, a loss, an augmentation; see docs/extending.md."""
