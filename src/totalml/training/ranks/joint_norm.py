"""Batch normalisation over the whole batch when several CPU processes hold a share of it each.

torch's own SyncBatchNorm runs on GPUs only. Statistics of a share alone would make the result depend on the number of
processes, and a share of one sample could not be normalised at all.
"""

from __future__ import annotations

from types import MethodType
from typing import Any

import torch
from lightning.pytorch.plugins import LayerSync
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


class JointNorm(LayerSync):
    """Lightning's hook for it: every batch normalisation of a model, while it trains."""

    def apply(self, model: nn.Module) -> nn.Module:
        for module in _norms(model):
            vars(module)["forward"] = MethodType(_forward, module)
        return model

    def revert(self, model: nn.Module) -> nn.Module:
        for module in _norms(model):
            vars(module).pop("forward", None)
        return model


def _norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


@torch.compiler.disable  # type: ignore[misc, untyped-decorator, unused-ignore]
def _forward(norm: _BatchNorm, inputs: Tensor) -> Tensor:
    if not norm.training:
        return type(norm).forward(norm, inputs)
    mean, variance, count = _statistics(inputs.detach())
    if norm.track_running_stats and norm.running_mean is not None and norm.running_var is not None:
        steps: Any = norm.num_batches_tracked
        steps.add_(1)
        momentum = norm.momentum if norm.momentum is not None else 1.0 / float(steps)
        norm.running_mean.lerp_(mean, momentum)
        norm.running_var.lerp_(variance * (count / (count - 1).clamp(min=1)), momentum)
    scale = torch.rsqrt(variance + norm.eps)
    normal = _Standardised.apply(inputs.float(), mean, scale, count)
    if norm.affine:
        normal = normal * _across(norm.weight, normal) + _across(norm.bias, normal)
    return normal.to(inputs.dtype)


def _statistics(inputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(C,) mean and variance over the whole batch, and the number of values behind each.

    Combined from those of the shares (Chan et al. 1979): sums of squares would lose digits.
    """
    inputs = inputs.float()
    channels = inputs.shape[1]
    here = torch.zeros(2 * channels + 1)
    here[-1] = inputs.numel() // channels
    if here[-1] > 0:
        variance, mean = torch.var_mean(inputs, dim=_but_channels(inputs), correction=0)
        here[:channels], here[channels:-1] = mean, variance
    everywhere = [torch.empty_like(here) for _ in range(distributed.get_world_size())]
    distributed.all_gather(everywhere, here)
    every = torch.stack(everywhere).double()
    means, variances, counts = every[:, :channels], every[:, channels:-1], every[:, -1:]
    count = counts.sum()
    mean = (means * counts).sum(dim=0) / count
    variance = ((variances + (means - mean) ** 2) * counts).sum(dim=0) / count
    return mean.float(), variance.float(), count.float()


class _Standardised(torch.autograd.Function):
    """(inputs - mean) * scale, where both depend on the inputs of all ranks."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, mean: Tensor, scale: Tensor, count: Tensor) -> Tensor:
        normal = (inputs - _across(mean, inputs)) * _across(scale, inputs)
        ctx.save_for_backward(normal, scale, count)
        return normal

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None, None, None]:
        normal, scale, count = ctx.saved_tensors
        over = _but_channels(normal)
        sums = torch.stack([slope.sum(dim=over), (slope * normal).sum(dim=over)])
        distributed.all_reduce(sums)
        level, tilt = sums / count
        inward = (slope - _across(level, slope) - normal * _across(tilt, slope)) * _across(scale, slope)
        return inward, None, None, None


def _but_channels(values: Tensor) -> list[int]:
    return [dim for dim in range(values.dim()) if dim != 1]


def _across(channels: Tensor, values: Tensor) -> Tensor:
    """(C,) in a shape that meets the channels of (B, C, ...)."""
    return channels.view(1, -1, *[1] * (values.dim() - 2))
