"""Deliver what is outstanding, again and again: a thread for each channel, so that a slow receiver delays no other.

Any number of processes may do so: a claim in the journal says which of them tries.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from totalml.alerts.alerts import Alerts
from totalml.alerts.channel import deliver
from totalml.background import STOPS_WITHIN_S

if TYPE_CHECKING:
    from totalml.project import Place
    from totalml.recipe.alerting import AlertingRecipe, ChannelRecipe
    from totalml.store import Store

EVERY_S = 1.0  # about: processes that started together need not look together


class Delivery:
    """Args:
    place: below whose project files are written.
    said: told a line when a channel begins to fail, and when it works again.
    """

    def __init__(
        self, store: Store, model: str, settings: AlertingRecipe, place: Place, said: Callable[[str], None]
    ) -> None:
        self._store, self._model, self._settings, self._place, self._said = store, model, settings, place, said
        self._stop = threading.Event()
        self._failing: set[str] = set()
        self.delivered: Counter[str] = Counter()  # channel -> notices that arrived, by this process
        self.failed: Counter[str] = Counter()  # channel -> tries that did not
        self._threads = [
            threading.Thread(target=self._work, args=(each,), name=f"alerts by {each.title}", daemon=True)
            for each in settings.channels
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """What is under way may still arrive; what does not is for the next process."""
        self._stop.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(STOPS_WITHIN_S)

    def _work(self, channel: ChannelRecipe) -> None:
        alerts = Alerts(self._store, self._model, self._settings)
        while not self._stop.wait(EVERY_S * random.uniform(0.8, 1.2)):  # noqa: S311
            try:
                for _, problem in send_outstanding(alerts, channel, self._place):
                    self._note(channel.title, problem)
                    if self._stop.is_set():
                        return
            except Exception as error:  # the store cannot be read or written at the moment: the alerts wait in it
                self._note(channel.title, f"{error}")

    def _note(self, title: str, problem: str | None) -> None:
        (self.failed if problem else self.delivered)[title] += 1
        if problem and title not in self._failing:
            self._failing.add(title)
            self._said(f"{self._model}: alerts do not arrive by {title}: {problem}; they are kept, and tried again")
        elif problem is None and title in self._failing:
            self._failing.discard(title)
            self._said(f"{self._model}: alerts arrive by {title} again")


def send_outstanding(alerts: Alerts, channel: ChannelRecipe, place: Place) -> Iterator[tuple[str, str | None]]:
    """Try each alert that is due there once.

    Yields: its id, and what went wrong; None: it arrived.
    Raises: StoreError: the store cannot be read or written.
    """
    for each in alerts.outstanding(channel.title):
        if (alert := alerts.claim(each.id, channel.title)) is None:
            continue
        if (problem := deliver(channel, alert, place)) is None:
            alerts.delivered(alert, channel.title)
        yield alert.id, problem
