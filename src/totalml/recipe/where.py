"""`tolerance`, `registry`, `sweep`, `tracking`, `runtime`: where and how; none of it counts for the config hash."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, ValidationInfo, field_validator, model_validator

from totalml.component import Items, Misfit, Section
from totalml.kinds import Direction, Task
from totalml.recipe.bounds import Folder, Name, Place, Positive, Share
from totalml.target import did_you_mean
from totalml.workers import Backend, Crew

_SWEPT_KEY = re.compile(r"(?!hydra\b)[a-z]\w*(\.\w+)*", re.ASCII)


def _devices(value: Any) -> int | Literal["auto"]:
    if value == "auto" or (type(value) is int and 0 < value < 2**16):
        return value
    raise ValueError(f"expected a number of processes from 1, or 'auto' for one per GPU, got {value!r}")


# One validator for both kinds, so that a mistake is told once.
Devices = Annotated[int | Literal["auto"], PlainValidator(_devices)]


class Tolerance(Section):
    """How far two runs of one recipe may differ on other machines; on machines of one type they are the same.

    Absolute differences: 0.02 of an accuracy are two points.
    """

    metrics: Annotated[float, Field(ge=0)] = 0.02  # of any metric, in its unit; one sample of 50 moves the accuracy so
    probabilities: Share = 0.02  # of any predicted probability


def _ranks(metric: str, info: ValidationInfo) -> str:
    task = (info.context or {}).get("task")
    own = (info.context or {}).get("metrics", ())
    if isinstance(task, Task) and metric not in own and (mistake := not_ranking(metric, task)):
        raise ValueError(mistake)
    return metric


def not_ranking(metric: str, task: Task) -> str | None:
    """Why jobs of a task cannot be ranked by a metric; None if they can."""
    if task.direction(metric):
        return None
    known = ("validation_loss", f"validation_{task.score}", *task.metrics)
    hint = did_you_mean(metric, known) or f"; there are: {', '.join(known)}"
    return f"there is no metric {metric!r} to rank jobs by{hint}"


class SweepRecipe(Section):
    """What to vary and how to look for the best. Each job is a run of its own, so this is no part of what it computes.

    `parameters` maps a key of the recipe, or a group of conf/, to values in Hydra's grammar for sweeps: `1,2,3`,
    `choice(a, b)`, `range(1, 9, 2)`, and for optuna `interval(0.1, 0.9)` or `tag(log, interval(0.0001, 0.1))`. They
    become arguments of Hydra, which can set anything, so a key is a plain dotted name and none of Hydra's own.
    """

    sampler: Literal["grid", "optuna"] = "optuna"
    trials: Positive = 20  # jobs that optuna chooses; a grid has as many as it has points
    metric: Annotated[str, AfterValidator(_ranks)] = "validation_loss"  # validation_*: of the best epoch; else on test
    direction: Direction | None = None  # None: as the metric is meant
    prune: bool = True  # optuna ends a job that after half of its epochs validates worse than half of the others
    parameters: Annotated[dict[str, Annotated[str, Field(max_length=2000)]], Field(min_length=1)]

    @field_validator("parameters")
    @classmethod
    def _names_keys(cls, parameters: dict[str, str]) -> dict[str, str]:
        if wrong := [key for key in parameters if not _SWEPT_KEY.fullmatch(key)]:
            names = ", ".join(map(repr, wrong))
            raise Misfit(f"a sweep varies keys of the recipe such as training.optimizer.lr, not {names}", wrong[0])
        return parameters


class RegistryRecipe(Section):
    """What becomes of a run that passed its gates: a release.

    None is made of a smoke run, a job of a sweep and a run without gates; `totalml promote` makes one of any run.
    """

    alias: Name = "candidate"  # what is pointed at the release
    format: Literal["onnx", "torch"] = "onnx"  # torch: for a model that cannot be exported; served where torch is


class TrackingRecipe(Section):
    """Where else a run is told of than in its folder; it is written there after the run, from what the folder holds.

    conf/tracking/ chooses `offline`, which needs no account, no network and about a second.
    """

    mode: Literal["offline", "wandb", "none"] = "none"  # offline: a W&B run in the folder; wandb: sent to a backend
    project: Annotated[str, Field(min_length=1)] | None = None  # None: the recipe's name
    entity: Annotated[str, Field(min_length=1)] | None = None  # None: the account's own
    group: Annotated[str, Field(min_length=1)] | None = None  # None: the sweep that the run is a job of
    tags: Items[str] = ()
    patience_s: Annotated[float, Field(gt=0, le=3600)] = 60.0  # how long the end of a run waits for a backend


class RuntimeRecipe(Section):
    """Where and how: changes nothing about what is computed, so it does not count for the config hash."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    precision: Literal["float32", "bfloat16"] = "float32"
    compile: bool = False
    threads: Positive | None = None  # CPU threads of torch, in each process; None: torch's own choice
    workers: Positive | None = None  # that read and decode data; None: 2 threads, or all cores that the backend has
    backend: Backend = "threads"  # of the workers: threads, processes (loky), or a Ray cluster
    strategy: Literal["single", "ddp"] = "single"  # ddp: several processes, each with a share of every batch
    devices: Devices = 1  # ddp: processes on each machine
    nodes: Positive = 1  # ddp: machines; above one, Slurm or torchrun starts the processes
    store: Place = ".totalml"  # of blobs, snapshots and feature sets
    runs: Place = "runs"  # of run folders
    cache: Folder = ".totalml/remote"  # folder of this machine that stands before a store or runs elsewhere
    progress: Literal["auto", "rich", "plain", "none"] = "auto"
    rerun: bool = False  # run again although the store holds the finished run

    @property
    def crew(self) -> Crew:
        return Crew(self.backend, self.workers, "runtime.")

    @model_validator(mode="after")
    def _several_by_ddp(self) -> Self:
        if self.strategy == "single" and (self.devices != 1 or self.nodes != 1):
            raise ValueError("'devices' and 'nodes' go with 'strategy: ddp', e.g. runtime=ddp")
        return self
