"""Layers of the small network."""

from torch import Tensor, nn


def convolution(channels_in: int, channels_out: int, stride: int = 1) -> nn.Sequential:
    """3x3 convolution, batch normalisation, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


class ResidualStage(nn.Module):
    """Halves the picture, then refines it: y = f(x), y + g(y)."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.reduce = convolution(channels_in, channels_out, stride=2)
        self.refine = convolution(channels_out, channels_out)

    def forward(self, images: Tensor) -> Tensor:
        reduced: Tensor = self.reduce(images)
        refined: Tensor = self.refine(reduced)
        return reduced + refined


class GlobalMean(nn.Module):
    """(B, C, H, W) -> (B, C); a mean, because adaptive pooling has no deterministic gradient on CUDA."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean(dim=(2, 3))
