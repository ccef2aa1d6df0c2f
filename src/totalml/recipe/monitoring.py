"""`monitoring`: what is watched once a model answers, and how many false alarms that may cost.

It says nothing about how a model is made, so it does not count for the config hash.
"""

from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from totalml.component import Items, Misfit, Section
from totalml.recipe.alerting import AlertingRecipe
from totalml.recipe.bounds import Positive, Share, Zone
from totalml.recipe.seasons import SeasonSettings

LEAST_HOURS = 0.5  # of a window, at one false alarm a year: a permutation test of 100,000 tells no less
ColumnName = Annotated[str, Field(min_length=1)]


class WindowRecipe(Section):
    """What is looked at together.

    Args:
        hours: after which a window ends; from midnight UTC, so that those of a day stay those of a day.
        rows: fewer are kept and looked at with the next window.
        most: after so many rows it ends, too.
    """

    hours: Annotated[float, Field(gt=0, le=24 * 31)] = 24.0
    rows: Positive = 50
    most: Annotated[int, Field(ge=100, le=1_000_000)] = 20_000

    @model_validator(mode="after")
    def _some_fit(self) -> Self:
        if self.rows > self.most:
            raise ValueError(
                f"rows {self.rows} are more than most {self.most}; a window would end before it has enough"
            )
        return self


class MonitoringRecipe(Section):
    """Args:
    false_alarms_per_year: of all detectors together.
    rows_per_day: that are expected; None: as many as came in the last four weeks.
    unit: metadata column of which equal values come together, such as the uploader; None: each sample by itself.
    populations: metadata columns that quality is looked at by, to say who brings what is wrong.
    slices: metadata columns by which errors are looked at, to say for whom the model got worse.
    levers: metadata columns of numbers that people set, such as what is spent on a channel: that one stays at a value
        longer than ever, at 0 say, is a new input then, and else a fault of who sends it.
    margin: by how much more often the model may err before that counts as worse.
    seasons: in which inputs are expected to move; where two overlap, the first counts.
    zone: by whose calendar their days begin, such as Europe/Dublin.
    alerts: who is told, and what follows by itself.
    labels_within_days: after which a label for an answer is not looked for any more.
    """

    false_alarms_per_year: Annotated[float, Field(gt=0, le=365)] = 2.0
    rows_per_day: Annotated[float, Field(gt=0)] | None = None
    window: WindowRecipe = WindowRecipe()
    unit: ColumnName | None = None
    populations: Items[ColumnName] = ()
    slices: Items[ColumnName] = ()
    levers: Items[ColumnName] = ()
    margin: Share = 0.03
    seasons: Items[SeasonSettings] = ()
    zone: Zone = "UTC"
    alerts: AlertingRecipe = AlertingRecipe()
    labels_within_days: Annotated[int, Field(gt=0, le=3650)] = 30

    @field_validator("seasons")
    @classmethod
    def _seasons_have_names_of_their_own(cls, seasons: tuple[SeasonSettings, ...]) -> tuple[SeasonSettings, ...]:
        names = [each.name for each in seasons]
        if double := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"several seasons are named {', '.join(double)}; give each a name of its own")
        return seasons

    @model_validator(mode="after")
    def _windows_can_alarm(self) -> Self:
        hours, each = self.window.hours, self.false_alarms_per_year
        if hours < (least := LEAST_HOURS / each):
            raise Misfit(
                f"windows of {hours:g} hours are so many that at {each:g} false alarms a year none of them could ever "
                f"alarm; make them {least:.2g} hours or longer, or allow more false alarms",
                "window",
                "hours",
            )
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """Of the metadata, that it looks at beside what the model sees."""
        return tuple(
            dict.fromkeys((*([self.unit] if self.unit else []), *self.populations, *self.slices, *self.levers))
        )
