"""Say that an alert is over: whoever was told of it is told so, and what is found next is an alert of its own.

totalml alerts resolve guinness-12 --why "rolled back, errors are down"
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from totalml.alerts.alerts_ack import alerts_with
from totalml.alerts.alerts_ack import configure as configure

if TYPE_CHECKING:
    from totalml.project import Place


def run(arguments: argparse.Namespace, place: Place) -> int:
    done = alerts_with(arguments, place).resolve(arguments.id, arguments.why)
    print(f"{arguments.id} is resolved{'' if done else ' already'}")
    return 0
