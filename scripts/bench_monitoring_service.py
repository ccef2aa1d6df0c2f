"""What it costs a service that it monitors what it answers: the same with and without, asked in turns.

The pictures are of noise, so an alert stands all the while. CPU time is that of the processes, log and monitor
included; only the monitored one asks what the model looked at, of one request in fifty.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench_serving import NAME, Service, ask, call, running, train

if TYPE_CHECKING:
    from totalml.store import Store

PLAIN, MONITORED = "a service", "the same, monitored"
RATE, SECONDS, SETTLED_S = 60.0, 20.0, 15.0  # requests a second of each; until its monitor has looked at the first ones
AT_MOST = 1.1


def print_tables(quick: bool) -> None:
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        store, _ = train(work)
        commands = {
            PLAIN: deployed(work, "plain", "log: {maps: 0}", store),
            MONITORED: deployed(work, "seen", "monitoring: {}", store),
        }
        with running(commands, list(commands)) as services:
            plain, monitored = bench(services, 1 if quick else 5)
    print(f"{f'{RATE:g} requests a second':<26}{'CPU ms each':>14}{'ratio':>8}{'RSS MB':>8}")
    for told, (cost, megabytes) in ((PLAIN, plain), (MONITORED, monitored)):
        print(f"{told:<26}{cost:>14.2f}{cost / plain[0]:>7.2f}x{megabytes:>8.0f}")
    print(f"target: at most {AT_MOST}x of its CPU")


def deployed(work: Path, name: str, more: str, store: "Store") -> list[str]:
    """How a service of a deployment is started; a port is added."""
    file = work / f"{name}.yaml"
    file.write_text(f"model: {NAME}\n{more}\n")
    call(["-m", "totalml.cli", "deploy", str(file), f"--store={store.root}", f"--runs={work / 'runs'}"])
    return [sys.executable, "-m", "totalml.cli", "serve", str(file), f"--store={store.root}", "--port"]


def bench(services: Sequence[Service], repeats: int) -> list[tuple[float, float]]:
    """Of each service: median CPU milliseconds of a request, and megabytes at the end."""
    costs: list[list[float]] = [[] for _ in services]
    asyncio.run(ask_in_turns(services, SETTLED_S))
    for _ in range(repeats):
        before = [service.cpu_seconds() for service in services]
        count = asyncio.run(ask_in_turns(services, SECONDS))
        for cost, service, earlier in zip(costs, services, before, strict=True):
            cost.append(1000 * (service.cpu_seconds() - earlier) / count)
    found = zip(costs, services, strict=True)
    return [(statistics.median(cost), service.megabytes()) for cost, service in found]


async def ask_in_turns(services: Sequence[Service], seconds: float) -> int:
    """How many each of them answered."""
    places = [await asyncio.open_connection("127.0.0.1", service.port) for service in services]
    started, count = time.perf_counter(), 0
    while time.perf_counter() < started + seconds:
        for service, place in zip(services, places, strict=True):
            status, body = await ask(*place, service.requests[count % len(service.requests)])
            assert status == 200, body
        count += 1
        await asyncio.sleep(max(0.0, started + count / RATE - time.perf_counter()))
    for _, writer in places:
        writer.close()
    return count
