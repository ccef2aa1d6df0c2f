"""An ordinary LightningModule, as it would stand in any repository; only `predict_step` answers the task."""

from typing import Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor, nn
from torch.nn import functional

Batch = dict[str, Tensor]


class TinyNet(LightningModule):
    """Args:
    classes: how many there are to tell apart.
    lr: highest learning rate, of one warm-up and one cosine over all steps.
    """

    def __init__(self, classes: int = 2, width: int = 16, lr: float = 0.01, dropout: float = 0.1) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.lr = lr
        self.network = nn.Sequential(
            *(layer for step in range(3) for layer in _block(3 if step == 0 else width << (step - 1), width << step)),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
            nn.Linear(width << 2, classes),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(B, 3, H, W) in 0..1 -> (B, classes)."""
        scores: Tensor = self.network(images)
        return scores

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        return functional.cross_entropy(self(batch["image"]), batch["target"])

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        scores, target = self(batch["image"]), batch["target"]
        self.log("validation_loss", functional.cross_entropy(scores, target), batch_size=len(target))
        self.log("validation_accuracy", (scores.argmax(1) == target).float().mean(), batch_size=len(target))

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """(B, classes) a probability of each, which is what the task `Classification` calls an answer."""
        probabilities: Tensor = self(batch["image"]).softmax(dim=1)
        return probabilities

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.AdamW(self.parameters(), lr=self.lr)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.lr, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _block(before: int, after: int) -> list[nn.Module]:
    return [nn.Conv2d(before, after, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
