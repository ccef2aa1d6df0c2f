"""What is read in the source text of an optimizer or a scheduler is what the class itself says."""

import warnings

import pytest
import torch
from torch.optim import lr_scheduler

from totalml.guards import refusals
from totalml.signature import signature_of
from totalml.sockets import OPTIMIZER, SCHEDULER

VALUES = (-1, -0.5, 0, 1, 0.5, 2.5, 1000, "fast", "", True, None, [], [0.5], [0.9, 0.999], [2, 3], [0.9, 2.0], [1.2, 0])
OPTIMIZERS = [name for name in torch.optim.__all__ if OPTIMIZER.takes(f"torch.optim.{name}")]
NEEDED = {
    "ConstantLR": {},
    "CosineAnnealingLR": {"T_max": 5},
    "CosineAnnealingWarmRestarts": {"T_0": 5},
    "CyclicLR": {"base_lr": 0.1, "max_lr": 0.2},
    "ExponentialLR": {"gamma": 0.9},
    "LinearLR": {},
    "MultiStepLR": {"milestones": [1, 2]},
    "OneCycleLR": {"max_lr": 0.2, "total_steps": 9},
    "PolynomialLR": {},
    "ReduceLROnPlateau": {},
    "StepLR": {"step_size": 3},
}


def optimizer_says(name, arguments):
    parameter = torch.nn.Parameter(torch.zeros(2, 2))
    return said_by(lambda: getattr(torch.optim, name)([parameter], **arguments))


def scheduler_says(name, arguments):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(2, 2))], lr=0.1, momentum=0.9)
    return said_by(lambda: getattr(lr_scheduler, name)(optimizer, **arguments))


def said_by(create):
    """The message of what the class raises; None: it takes the arguments."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            create()
        except Exception as error:
            return str(error)
    return None


def compared(path, socket, needed, says):
    """(refused by the class, refused by the text) for every argument and value; their words agree on numbers."""
    handed_over = {"params", "optimizer"}
    for argument in {*signature_of(path).names} - handed_over:
        for value in VALUES:
            arguments = {**needed, argument: value}
            read, said = refusals(path, arguments, socket.base), says(path.rpartition(".")[2], arguments)
            if read:
                assert said is not None, f"{path} takes {argument}={value!r}, but {read}"
                # A value of another type may fail in the class before its guard is reached.
                assert said in [refusal.reason for refusal in read] or type(value) not in (int, float), said
            yield said is not None, bool(read)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_optimizer_refuses_what_its_text_refuses_and_little_more(name):
    both = [*compared(f"torch.optim.{name}", OPTIMIZER, {}, optimizer_says)]
    assert sum(read for _, read in both) >= 0.5 * sum(said for said, _ in both) > 0


@pytest.mark.parametrize("name", NEEDED)
def test_a_scheduler_refuses_what_its_text_refuses(name):
    assert [*compared(f"torch.optim.lr_scheduler.{name}", SCHEDULER, NEEDED[name], scheduler_says)]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_negative_learning_rate_is_refused_by_every_optimizer_with_its_name(name):
    (refusal,) = refusals(f"torch.optim.{name}", {"lr": -1}, OPTIMIZER.base)
    assert refusal.argument == "lr"


@pytest.mark.parametrize(
    ("path", "arguments", "at_fault"),
    [
        ("AdamW", {"lr": 0.1, "betas": [2, 3]}, ["betas"]),
        ("AdamW", {"lr": -1, "eps": -1, "weight_decay": -1}, ["lr", "eps", "weight_decay"]),
        ("SGD", {"nesterov": True}, ["nesterov"]),
        ("lr_scheduler.ReduceLROnPlateau", {"mode": "foo", "threshold_mode": "bar"}, ["mode", "threshold_mode"]),
        ("lr_scheduler.OneCycleLR", {"max_lr": 0.1}, [None]),
        ("lr_scheduler.OneCycleLR", {"max_lr": 0.1, "total_steps": 3, "anneal_strategy": "x"}, ["anneal_strategy"]),
        ("lr_scheduler.CosineAnnealingWarmRestarts", {"T_0": 2.5}, ["T_0"]),
        ("AdamW", {"lr": 0.1, "betas": [0.8, 0.9]}, []),
    ],
)
def test_the_argument_at_fault_is_named(path, arguments, at_fault):
    socket = SCHEDULER if "lr_scheduler" in path else OPTIMIZER
    assert [each.argument for each in refusals(f"torch.optim.{path}", arguments, socket.base)] == at_fault
