"""Which classes of other packages a recipe may name: for each kind of socket the class that they descend from.

Nothing else of those packages can be named: torch alone holds functions that run programs, load pickles and open URLs.
A component of totalml or recipes/ needs no entry: its type, one of `totalml.kinds`, says where it fits.
"""

from dataclasses import dataclass

from totalml.definitions import defined_at, descends_from


@dataclass(frozen=True)
class Socket:
    """Args:
    noun: what stands in it, for messages.
    under: the module that names the class, and below which the class is defined; a recipe's import runs nothing else.
    base: the class that it descends from, where that is defined.
    """

    noun: str
    under: str
    base: str
    only: frozenset[str] = frozenset()  # names of classes, where not all that descend are fit to be named
    parts: tuple[str, ...] = ()  # of `under`, where not all of it is fit; the class is defined in one of them

    def takes(self, target: str) -> bool:
        """Judged by source text: nothing is imported."""
        inside = f"{self.under}."
        name = target.rpartition(".")[2]
        if not target.startswith(inside) or name.startswith("_") or (self.only and name not in self.only):
            return False
        defined = defined_at(target)
        if defined is None or not defined.startswith(inside) or defined == self.base:
            return False
        if self.parts and defined.removeprefix(inside).partition(".")[0] not in self.parts:
            return False
        return descends_from(defined, self.base)


OPTIMIZER = Socket("an optimizer", "torch.optim", "torch.optim.optimizer.Optimizer")
SCHEDULER = Socket("a scheduler", "torch.optim.lr_scheduler", "torch.optim.lr_scheduler.LRScheduler")

# Of a recipe's own code, which a reviewer reads; looked at like the others, because its file imports torch.
MODULE = Socket("a LightningModule", "recipes", "lightning.pytorch.core.module.LightningModule")
# Those that change what is learnt. Checkpoints, early stopping, loggers and progress are ours.
CALLBACK = Socket(
    "a callback",
    "lightning.pytorch.callbacks",
    "lightning.pytorch.callbacks.callback.Callback",
    frozenset({"GradientAccumulationScheduler"}),
)

# Its metrics of text, pictures and sound download weights, and one runs the code that it finds beside them.
METRIC = Socket(
    "a metric",
    "torchmetrics",
    "torchmetrics.metric.Metric",
    parts=("classification", "regression", "nominal", "clustering"),
)
OWN_METRIC = Socket("a metric", "recipes", "torchmetrics.metric.Metric")

FOREIGN = (OPTIMIZER, SCHEDULER, CALLBACK, METRIC, MODULE, OWN_METRIC)
OWN = (MODULE, OWN_METRIC)  # of a recipe, and no component


def socket_of(target: str) -> Socket | None:
    """The one kind of socket that takes a class of another package; None: no recipe may name it."""
    return next((socket for socket in FOREIGN if socket.takes(target)), None)


def is_near(target: str) -> bool:
    """Whether a target is written where allowed classes stand, so that a misspelt name deserves a hint."""
    return any(target.startswith(f"{socket.under}.") for socket in FOREIGN)
