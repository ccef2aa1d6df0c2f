"""`drill`: months of traffic whose truth is known, drawn again and again from samples that are scored once."""

from typing import Annotated, Literal, Self

from pydantic import Field, InstanceOf, model_validator

from totalml.component import Items, Misfit, Section
from totalml.kinds import Perturbation, Source
from totalml.recipe.bounds import Name, Positive, Share
from totalml.target import did_you_mean

Truth = Literal["none", "expected season", "data quality", "new covariate", "concept"]
HARMLESS: tuple[Truth, ...] = ("none", "expected season")  # what nobody is to be woken by

ROW_BY_ROW = ("share", "ramp_days", "days", "expected", "volume")  # of a scenario

Weight = Annotated[float, Field(ge=0, le=1e6)]
Days = Annotated[int, Field(ge=0, le=3650)]


class PopulationRecipe(Section):
    """Samples that traffic may be made of."""

    source: InstanceOf[Source] | None = None  # None: the validation and test samples of the run
    of: str | None = None  # another population, whose samples these are too
    perturb: Items[InstanceOf[Perturbation]] = ()  # what happens to them on their way, in this order


class ScenarioRecipe(Section):
    """What happens, in every history alike, and what a monitor ought to say of it."""

    truth: Truth  # where a `new covariate` is found to hurt the model, `concept` is
    population: str | None = None  # whose samples come from `drill.from_day` on; None: those of `drill.base`
    share: Share = 1.0  # of all samples, once it is there
    ramp_days: Days = 0  # over which it grows to that share
    days: Annotated[int, Field(gt=0, le=3650)] | None = None  # how long it stays; None: to the end
    expected: str | None = None  # population that the same season had the last time, which a monitor is told of
    volume: Annotated[float, Field(gt=0, le=100)] = 1.0  # of traffic while it is there, to that of other days


class LateLabels(Section):
    share: Share = 0.2  # of samples whose truth somebody tells
    delay_days: Days = 7


class DrillRecipe(Section):
    populations: dict[Name, PopulationRecipe]
    scenarios: dict[Name, ScenarioRecipe]
    futures: bool = False  # a history is a future of its own, in the order of time; of series, whose weeks have a past
    base: str = "base"  # the population of ordinary days
    reference: Positive = 600  # samples of `base` that a monitor is fitted on; others in every history
    days: Annotated[int, Field(gt=1, le=3650)] = 56  # of a history, from a Monday on
    from_day: Annotated[int, Field(gt=0, le=3650)] = 28  # on which whatever happens begins
    per_day: Annotated[float, Field(gt=0, le=1e6)] = 40.0  # samples of a day, on average
    weekdays: Annotated[Items[Weight], Field(min_length=7, max_length=7)] = (1.0,) * 7  # weights, from Monday on
    labels: LateLabels = LateLabels()
    histories: Positive = 100  # of each scenario
    calm_histories: Positive = 400  # in which nothing happens, to set every threshold by
    false_alarms: Annotated[float, Field(gt=0, lt=1)] = 0.05  # share of the calm histories that each detector alarms in
    window_days: Annotated[int, Field(gt=0, le=3650)] = 7  # of what is looked at at once
    harm: Share = 0.03  # of accuracy, surely lost, that makes a new covariate a concept

    @model_validator(mode="after")
    def _names_populations(self) -> Self:
        if self.base not in self.populations:
            raise Misfit(self._unknown(self.base), "base")
        for name, population in self.populations.items():
            if population.of is not None and population.of not in self.populations:
                raise Misfit(self._unknown(population.of), "populations", name, "of")
            if population.of is not None and (population.source or self.populations[population.of].of):
                told = "name either a source or a population that has one itself"
                raise Misfit(told, "populations", name, "of")
        for name, scenario in self.scenarios.items():
            for key in ("population", "expected"):
                asked = getattr(scenario, key)
                if asked is not None and asked not in self.populations:
                    raise Misfit(self._unknown(asked), "scenarios", name, key)
        return self

    @model_validator(mode="after")
    def _fits_in_time(self) -> Self:
        if self.from_day >= self.days:
            raise Misfit(
                f"a history has {self.days} days, so what happens begins before, got {self.from_day}", "from_day"
            )
        if not any(self.weekdays):
            raise Misfit("on one weekday at least there must be traffic", "weekdays")
        if self.calm_histories * self.false_alarms < 1:
            least = int(1 / self.false_alarms) + 1
            raise Misfit(
                f"in {self.calm_histories} histories a share of {self.false_alarms:g} is less than one; "
                f"take {least} or more",
                "calm_histories",
            )
        if not self.scenarios:
            raise Misfit("name one scenario at least", "scenarios")
        return self

    @model_validator(mode="after")
    def _futures_can_be_drawn(self) -> Self:
        if not self.futures:
            return self
        for name in self.populations:
            source = self.source_of(name)
            if source is None or source.redrawn(0) is None:
                told = "futures need a source that draws them, such as recipes.marketing.source.MarketSource with since"
                raise Misfit(told, "populations", name)
        for name, scenario in self.scenarios.items():
            usual = ScenarioRecipe(truth=scenario.truth, population=scenario.population)
            if changed := [key for key in ROW_BY_ROW if getattr(scenario, key) != getattr(usual, key)]:
                told = "belongs to histories that are drawn row by row; let the source say what comes instead"
                raise Misfit(told, "scenarios", name, changed[0])
        if self.histories > self.calm_histories:
            told = f"take {self.calm_histories} or fewer, as many as there are calm ones: each has a calm one beside it"
            raise Misfit(told, "histories")
        return self

    def source_of(self, population: str) -> Source | None:
        return self.populations[self.populations[population].of or population].source

    def _unknown(self, name: str) -> str:
        hint = did_you_mean(name, self.populations) or f"; there are: {', '.join(self.populations) or 'none'}"
        return f"there is no population {name!r}{hint}"
