"""A multi-layer perceptron for table columns."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from totalml.component import Items
from totalml.kinds import TableBackbone

if TYPE_CHECKING:
    from torch import nn


class Mlp(TableBackbone):
    widths: Annotated[Items[Annotated[int, Field(gt=0)]], Field(min_length=1)] = (64, 64)  # of the hidden layers
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def build(self, columns: int) -> tuple[nn.Module, int]:
        from torch import nn

        layers: list[nn.Module] = []
        for before, after in pairwise((columns, *self.widths)):
            layers += [nn.Linear(before, after), nn.ReLU(), nn.Dropout(self.dropout)]
        return nn.Sequential(*layers), self.widths[-1]
