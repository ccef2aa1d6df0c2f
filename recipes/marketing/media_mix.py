"""What sells pints: demand that follows season, price and region, and what each channel's advertising adds to it.

It is an ensemble: each member learns from other weights of the months, and is drawn to another draw of the prior. So
where the data tell, members agree, and where they do not, they differ as much as is believed beforehand. What moves all
regions at once is learnt apart from it, week by week, so that it is not taken for advertising that was bought then.
Sources: Jin et al. 2017 (adstock, Hill), Rubin 1981 (Bayesian bootstrap), Pearce et al. 2020 (anchored ensembles).
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningModule
from torch import Tensor

from recipes.marketing.media_curves import adstock, hill
from recipes.marketing.mix_columns import MixColumns, find_columns
from recipes.marketing.mix_prior import DEMAND, LEAST, LEVEL, NOISE, REGION, Anchored, Curves, curves
from totalml.training.keys import mix, uniform

if TYPE_CHECKING:
    from totalml.model.inputs import Inputs

Batch = dict[str, Tensor]

YEAR_DAYS = 365.25
YEAR_WEEKS = YEAR_DAYS / 7
MONTHS = 13  # a year, of four weeks that weigh alike, as what moves one moves the next
WEEKS = 1024  # of which each has a shock of its own
LEAST_RATIO = 1e-3  # of what is sold to what is expected; nothing sold would be infinitely improbable


class MediaMix(LightningModule):
    """Args:
    channels: numeric columns of what was spent, in this period and those before: `name.lag0`, `name.lag1` and so on.
    controls: numeric columns that demand follows.
    logs: those of them of which the logarithm counts, such as a price.
    day: numeric column of the day of the year, 1 to 366.
    trend: numeric column of years, which tells weeks apart and which demand follows, too.
    size: numeric column by which sales and spend are divided; null: rows are of one size.
    region: categorical column, each value of which has a level of its own; null: there is one level.
    season: harmonics of the year; 0: demand knows no season.
    shock: deviation of the log of what moves all regions of a week at once, learnt apart; 0: nothing does.
    members: of the ensemble.
    lr: highest learning rate, of one warm-up and one cosine over all steps.
    seed: of the members' priors and weights.
    """

    spent: Tensor
    sold: Tensor
    usual: Tensor
    middle: Tensor
    spread: Tensor
    rows: Tensor

    def __init__(
        self,
        channels: Sequence[str],
        controls: Sequence[str] = (),
        logs: Sequence[str] = (),
        day: str = "day_of_year",
        trend: str = "trend",
        size: str | None = "size",
        region: str | None = "region",
        season: int = 3,
        shock: float = 0.05,
        members: int = 16,
        lr: float = 0.05,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if members < 1 or season < 0 or shock < 0:
            told = f"got {members}, {season} and {shock}"
            raise ValueError(f"expected members of 1 or more, season and shock of 0 or more; {told}")
        if other := [name for name in logs if name not in controls]:
            raise ValueError(f"logs names {', '.join(map(repr, other))}, which stands not in controls; add it there")
        self.channels, self.controls, self.logs = tuple(channels), tuple(controls), frozenset(logs)
        self.day, self.trend, self.size, self.region = day, trend, size, region
        self.season, self.shock, self.members, self.lr, self.seed = season, shock, members, lr, seed

    def take_inputs(self, inputs: "Inputs") -> None:
        """Raises: ModelError: columns are missing."""
        self.columns: MixColumns = find_columns(
            inputs, self.channels, self.controls, self.day, self.trend, self.size, self.region
        )
        channels, controls, regions = len(self.channels), len(self.columns.controls), self.columns.regions
        media = dict.fromkeys(("decay", "half", "shape", "share"), channels)
        demand = {"level": 1, "region": regions, "demand": controls + 2 * self.season}
        self.prior = Anchored({**media, **demand, "week": WEEKS, "noise": 1}, self.members, self.seed)
        # What the training rows are like, in which all else is told.
        self.register_buffer("spent", torch.ones(channels))
        self.register_buffer("sold", torch.ones(()))
        self.register_buffer("usual", torch.ones(regions))
        self.register_buffer("middle", torch.zeros(controls))
        self.register_buffer("spread", torch.ones(controls))
        self.register_buffer("rows", torch.ones(()))

    def on_train_start(self) -> None:
        if self.trainer.current_epoch:
            return  # They were read with the rest; summed in another order, they would differ in the last bit.
        given: Any = self.trainer.train_dataloader
        batches = [{name: each.to(self.device) for name, each in batch.items()} for batch in given]
        sold = torch.cat([batch["target"][:, 0] / self._sizes(batch) for batch in batches])
        region = torch.cat([self._regions(batch) for batch in batches])
        controls = torch.cat([self._controls(batch) for batch in batches])
        spend = torch.cat([self._spend(batch)[:, :, 0] for batch in batches])
        self.spent.copy_(spend.nanmean(dim=0).nan_to_num().clamp(min=LEAST))
        self.sold.copy_(sold.mean())
        of_region = torch.stack([sold[region == code].mean() for code in range(len(self.usual))])
        self.usual.copy_(torch.where(of_region > 0, of_region, self.sold))  # else nothing is known of it
        self.middle.copy_(controls.nanmean(dim=0))
        spread = (controls - self.middle).square().nanmean(dim=0).sqrt()
        # What never changed may change later, of which nothing was learnt.
        self.spread.copy_(torch.where(spread > LEAST * (1 + self.middle.abs()), spread, 1.0))
        self.rows.fill_(len(sold))

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        years = batch["numeric"][:, self.columns.trend]
        week = (years * YEAR_WEEKS).round().long() % WEEKS
        shock = torch.exp(self.shock * self.prior()["week"].T[week])
        surprise = self._surprise(batch["target"], self.members_step(batch) * shock)
        return (self._weights(years) * surprise).mean() + self.prior.pull().mean() / self.rows

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        target, members = batch["target"], self.members_step(batch)
        self.log("validation_loss", self._surprise(target, members).mean(), batch_size=len(target))
        self.log("validation_mae", (members.mean(dim=1) - target[:, 0]).abs().mean(), batch_size=len(target))

    def predict_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """(B, 1) the mean of the members."""
        return self.members_step(batch).mean(dim=1, keepdim=True)

    def members_step(self, batch: Batch) -> Tensor:
        """(B, K) what each member expects to be sold."""
        return self._demand(batch) + self.added(batch).sum(dim=2)

    def added(self, batch: Batch) -> Tensor:
        """(B, K, C) what each channel adds to what is sold."""
        seen = self.curves()
        share = hill(adstock(self._spend(batch), seen.decay), seen.half, seen.shape)
        return self._sizes(batch)[:, None, None] * seen.most * share

    def curves(self) -> Curves:
        return curves(self.prior(), self.spent, self.sold)

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.lr, betas=(0.9, 0.99))
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, self.lr, total_steps=steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _demand(self, batch: Batch) -> Tensor:
        """(B, K) what would be sold without advertising."""
        believed = self.prior()
        regions = self._regions(batch)
        controls = (self._controls(batch) - self.middle) / self.spread
        # What is not known is as it is in the mean.
        follows = torch.cat([controls, self._harmonics(batch)], dim=1).nan_to_num()
        log = LEVEL[0] + LEVEL[1] * believed["level"].T + REGION * believed["region"].T[regions]
        log = log + DEMAND * follows @ believed["demand"].T
        return (self._sizes(batch) * self.usual[regions]).unsqueeze(1) * log.exp()

    def _surprise(self, target: Tensor, expected: Tensor) -> Tensor:
        """(B, K), of (B, 1) and (B, K): minus the logarithm of how probable a row is, up to a constant.

        Noise grows with what is sold: the deviance of a gamma distribution, of which each member learns the size.
        Source: Nelder and Pregibon 1987 (extended quasi-likelihood).
        """
        ratio = (target / expected).clamp(min=LEAST_RATIO)
        log_noise = NOISE[0] + NOISE[1] * self.prior()["noise"].T
        return log_noise + (ratio - 1 - ratio.log()) * torch.exp(-2 * log_noise)

    def _weights(self, years: Tensor) -> Tensor:
        """(B, K) exponential, one for each month and member: by key, so that they do not depend on batches."""
        month = (years * MONTHS).floor().long()
        member = torch.arange(self.members, device=years.device)
        return -torch.log1p(-uniform(mix(month[:, None] * self.members + member, self.seed), 0))

    def _spend(self, batch: Batch) -> Tensor:
        """(B, C, L) by size."""
        places = [at for lags in self.columns.lags for at in lags]
        spend = batch["numeric"][:, places].reshape(-1, len(self.channels), len(self.columns.lags[0]))
        return spend / self._sizes(batch)[:, None, None]

    def _controls(self, batch: Batch) -> Tensor:
        """(B, D) the trend and what else demand follows."""
        named = zip((self.trend, *self.controls), self.columns.controls, strict=True)
        each = ((name, batch["numeric"][:, at]) for name, at in named)
        return torch.stack([values.log() if name in self.logs else values for name, values in each], dim=1)

    def _harmonics(self, batch: Batch) -> Tensor:
        """(B, 2 H)"""
        turns = batch["numeric"][:, self.columns.day] * (2 * torch.pi / YEAR_DAYS)
        angles = turns.unsqueeze(1) * torch.arange(1, self.season + 1, device=turns.device)
        return torch.cat([angles.cos(), angles.sin()], dim=1)

    def _sizes(self, batch: Batch) -> Tensor:
        """(B,)"""
        numeric = batch["numeric"]
        return torch.ones_like(numeric[:, 0]) if self.columns.size is None else numeric[:, self.columns.size]

    def _regions(self, batch: Batch) -> Tensor:
        """(B,) 0 where it is none that training had."""
        if self.columns.region is None:
            return torch.zeros_like(batch["numeric"][:, 0], dtype=torch.int64)
        return batch["categorical"][:, self.columns.region]
