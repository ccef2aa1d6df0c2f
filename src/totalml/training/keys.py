"""Random numbers as a function of keys, so that they do not depend on batches, workers or devices.

SplitMix64 (Steele et al. 2014) in 64-bit integer arithmetic, which torch does alike on every device.
"""

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15


def mix(keys: Tensor, *numbers: int) -> Tensor:
    """Fold numbers into keys: (...) int64 -> (...) int64, well mixed."""
    for number in numbers:
        keys = _scramble(keys + _signed((number + 1) * _GOLDEN))
    return keys


def uniform(keys: Tensor, draw: int) -> Tensor:
    """(...) float32 in [0, 1), one number a key; another `draw` gives independent ones."""
    # 24 bits: all that a float32 below one can hold without rounding up to one.
    return _shifted(mix(keys, draw), 40).to(torch.float32) * 2.0**-24


def below(keys: Tensor, draw: int, bound: int) -> Tensor:
    """(...) int64 in 0..bound-1, bound at most 2^20."""
    return (_shifted(mix(keys, draw), 24) * bound) >> 40


def seed_of(seed: int, epoch: int, rank: int = 0) -> int:
    """The seed of torch's own generator (dropout) for one epoch and process, 0..2^63-1."""
    numbers = (seed, epoch, rank) if rank else (seed, epoch)
    return int(mix(torch.zeros((), dtype=torch.int64), *numbers)) & (2**63 - 1)


def _scramble(z: Tensor) -> Tensor:
    z = (z ^ _shifted(z, 30)) * _signed(0xBF58476D1CE4E5B9)
    z = (z ^ _shifted(z, 27)) * _signed(0x94D049BB133111EB)
    return z ^ _shifted(z, 31)


def _shifted(z: Tensor, bits: int) -> Tensor:
    """Shift right and fill with zeros; torch's own shift repeats the sign."""
    return (z >> bits) & ((1 << (64 - bits)) - 1)


def _signed(number: int) -> int:
    """The int64 with the same lowest 64 bits."""
    return (number + 2**63) % 2**64 - 2**63
