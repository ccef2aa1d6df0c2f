"""A promotion or a rollback is live within seconds without a failed request, and processes end and die in order."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import pyarrow.parquet as pq
import pytest

from tests.serving.serving import PICTURE, TABLE, onnx_of, picture, promote, release, serving
from totalml.release.bundle import Bundle
from totalml.serving import live
from totalml.serving.followed import follow
from totalml.serving.live import SWAP_FAILED
from totalml.store import Store

REPOSITORY = Path(__file__).parents[2]


def until(true: Callable[[], object], seconds: float = 120.0) -> None:
    due = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < due
        time.sleep(0.02)


def ready_with(release: Bundle) -> dict[str, object]:
    """What /readyz says where nothing went wrong."""
    return {"ready": True, "release": release.hash, "challenger": None, "failed": None}


@pytest.fixture(autouse=True)
def looks_often(monkeypatch):
    """At the journal, where the service is in this process."""
    monkeypatch.setattr(live, "EVERY_S", 0.05)


class Caller(threading.Thread):
    """Asks all the time; notes what it was answered and when."""

    def __init__(self, base: str) -> None:
        super().__init__(daemon=True)
        self.base, self.statuses, self.releases = base, [], []
        self.stop = threading.Event()

    def run(self) -> None:
        with httpx.Client(verify=False, base_url=self.base, timeout=30) as client:
            while not self.stop.is_set():
                answer = client.post("/predict", content=picture(), headers={"Content-Type": "image/png"})
                self.statuses.append(answer.status_code)
                self.releases.append(answer.json().get("release"))

    def only_says(self, release: str) -> bool:
        assert self.is_alive(), "a request failed, and will not be asked again"
        return set(self.releases[-3:]) == {release}


def test_a_promotion_and_a_rollback_are_followed_without_a_failed_request(tmp_path):
    store = Store(tmp_path)
    old, new = release(store, 1.0), release(store, 0.5)
    with serving(tmp_path, old) as running:
        caller = Caller(f"http://127.0.0.1:{running.port}")
        caller.start()
        for wanted in (new, old, new):
            promote(store, wanted)
            until(lambda wanted=wanted: caller.releases and caller.releases[-1] == wanted.hash)
        caller.stop.set()
        caller.join()
        assert running.service.live.swaps == 3
        assert running.ask(picture()).json()["predictions"][0]["p:light"] == pytest.approx(0.5, abs=1e-6)
    assert set(caller.statuses) == {200}
    assert set(caller.releases) == {old.hash, new.hash}


def test_a_release_that_cannot_be_loaded_leaves_the_old_one_and_is_told(tmp_path):
    store = Store(tmp_path)
    old, broken, good = release(store, 1.0), release(store, 0.7, model=b"no model"), release(store, 0.5)
    with serving(tmp_path, old) as running:
        promote(store, broken)
        until(lambda: running.client.get("/readyz").json()["failed"])
        told = running.client.get("/readyz").json()
        assert told["release"] == old.hash
        assert told["failed"] == f"release {broken.hash} cannot be loaded, {old.hash} goes on"  # and no path
        assert running.ask(picture()).json()["release"] == old.hash
        assert "totalml_swap_failed 1.0" in running.client.get("/metrics").text
        time.sleep(0.3)  # it is looked at again, and not told again
        failures = [event for event in store.journal("pints").events() if event.kind == SWAP_FAILED]
        assert [(event.facts["release"], event.facts["goes_on"]) for event in failures] == [(broken.hash, old.hash)]
        promote(store, good)
        until(lambda: running.client.get("/readyz").json() == ready_with(good))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"picture": {"size": 10**6, "fit": "crop"}}, "size"),
        ({"decision": {"threshold": 0.5, "positive": "stout"}}, "p:stout"),
        ({"max_megapixels": "many"}, "str"),
    ],
)
def test_a_release_whose_signature_cannot_be_answered_by_never_answers(tmp_path, changed, why):
    store = Store(tmp_path)
    old, odd = release(store, 1.0), release(store, 0.5, replace(PICTURE, **changed), onnx_of(PICTURE, 0.5))
    with serving(tmp_path, old) as running:
        promote(store, odd)
        until(lambda: running.client.get("/readyz").json()["failed"])
        assert running.ask(picture()).json()["release"] == old.hash
    event = store.journal("pints").events()[-1]
    assert (event.kind, event.facts["release"], why in event.facts["why"]) == (SWAP_FAILED, odd.hash, True)


def test_a_release_that_was_mended_is_taken_and_its_failure_told_once(tmp_path, monkeypatch):
    monkeypatch.setattr("totalml.serving.live.AGAIN_S", 0.0)
    store = Store(tmp_path)
    old, new = release(store, 1.0), release(store, 0.5)
    away = (new.folder / "model.onnx").rename(tmp_path / "away")
    with serving(tmp_path, old) as running:
        promote(store, new)
        until(lambda: running.client.get("/readyz").json()["failed"])
        time.sleep(0.3)
        away.rename(new.folder / "model.onnx")
        until(lambda: running.client.get("/readyz").json() == ready_with(new))
    assert [event.kind for event in store.journal("pints").events()].count(SWAP_FAILED) == 1


def test_a_fixed_release_follows_nothing(tmp_path):
    store = Store(tmp_path)
    old, new = release(store, 1.0), release(store, 0.5)
    with serving(tmp_path, old, alias=None) as running:
        promote(store, new)
        time.sleep(0.3)
        assert running.ask(picture()).json()["release"] == old.hash


# Importing any of them fails.
WITHOUT_TORCH = (
    "import sys\n"
    "for name in ('torch', 'torchvision', 'lightning', 'wandb', 'captum', 'torchmetrics', 'onnx', 'hydra'):\n"
    "    sys.modules[name] = None\n"
    "from totalml.cli import main\n"
    "sys.exit(main())"
)


def test_a_service_takes_the_memory_of_the_system_and_no_pandas():
    program = (
        "import sys\n"
        "from totalml.serving.spare_memory import spare_memory\n"
        "spare_memory()\n"
        "import pyarrow\n"
        "print(pyarrow.default_memory_pool().backend_name, 'pandas' in sys.modules)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ARROW_")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.split() == ["system", "False"]


@contextmanager
def process(
    store: Path, *more: str, what: str = "pints@production", program: str = WITHOUT_TORCH
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`totalml serve`, and where it listens."""
    words = ["serve", what, f"--store={store}", "--port=0", *more]
    command = [sys.executable, "-c", program, *words]
    started = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True)
    try:
        found = None
        while found is None:
            line = started.stderr.readline()
            assert line, f"it ended with {started.wait()}"
            found = re.search(r"on (http://\S+)", line)
        until(lambda: is_ready(found[1]))
        yield started, found[1]
    finally:
        started.kill()
        started.wait()
        started.stderr.close()


def is_ready(base: str) -> bool:
    try:
        return httpx.get(f"{base}/readyz", verify=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.slow
def test_replicas_behind_one_port_swap_under_load_and_end_in_order(tmp_path):
    store = Store(tmp_path)
    releases = [release(store, 1.0), release(store, 0.5)]
    promote(store, releases[0])
    with process(tmp_path, "--workers=3") as (started, base):
        callers = [Caller(base) for _ in range(4)]
        for caller in callers:
            caller.start()
        for number in range(1, 5):
            wanted = releases[number % 2].hash
            promote(store, releases[number % 2])
            until(lambda wanted=wanted: all(caller.only_says(wanted) for caller in callers))
        for caller in callers:
            caller.stop.set()
            caller.join()
        assert {status for caller in callers for status in caller.statuses} == {200}
        started.send_signal(signal.SIGTERM)
        assert started.wait(20) == 0
    asked = sum(len(caller.statuses) for caller in callers)
    assert logged(tmp_path) == asked


@pytest.mark.slow
def test_a_kill_loses_the_last_second_of_the_log_at_most(tmp_path):
    store = Store(tmp_path)
    promote(store, release(store))
    with process(tmp_path) as (started, base):
        with httpx.Client(verify=False, base_url=base) as client:
            for _ in range(20):
                assert (
                    client.post("/predict", content=picture(), headers={"Content-Type": "image/png"}).status_code == 200
                )
        until(lambda: logged(tmp_path) == 20)
        started.kill()
    assert logged(tmp_path) == 20


@pytest.mark.slow
def test_workers_end_with_the_process_that_started_them_even_where_it_was_killed(tmp_path):
    store = Store(tmp_path)
    promote(store, release(store))
    with process(tmp_path, "--workers=2") as (started, base):
        started.kill()
        until(lambda: not is_ready(base))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_that_comes_before_the_server_listens_to_any_ends_it(tmp_path, monkeypatch, number):
    import uvicorn

    from totalml.serving.address import Address, listen
    from totalml.serving.server import serve

    store, late = Store(tmp_path), []
    promote(store, release(store))
    run = uvicorn.Server.run

    def signalled_first(server: uvicorn.Server, sockets: list[socket.socket]) -> None:
        def end() -> None:
            late.append(number)
            server.should_exit = True

        overdue = threading.Timer(10, end)
        overdue.start()
        signal.raise_signal(number)
        run(server, sockets)
        overdue.cancel()

    monkeypatch.setattr(uvicorn.Server, "run", signalled_first)
    monkeypatch.setattr("gc.freeze", lambda: None)
    address = Address("127.0.0.1", 0, 1)
    assert serve(follow("pints@production", store, logs=False), store, address, listen(address)) == 0
    assert not late


def logged(store: Path) -> int:
    return sum(pq.read_metadata(file).num_rows for file in store.glob("predictions/pints/*/[!.]*.parquet"))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("pints@produktion",), "did you mean 'production'?"),
        (("pint@production",), "did you mean 'pints'?"),
        (("pints@production", "--host=0.0.0.0"), "set TOTALML_TOKEN to a long secret"),
        (("pints@production", "--port=99999"), "--port is a number up to 65535"),
        (("pints@production", "--workers=0"), "--workers and --threads are numbers from 1"),
    ],
)
def test_what_cannot_be_served_is_explained(tmp_path, capsys, monkeypatch, words, told):
    from totalml.cli import main

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delenv("TOTALML_TOKEN", raising=False)
    store = Store(tmp_path)
    promote(store, release(store, 1.0, TABLE))
    assert main(["serve", *words, f"--store={tmp_path}"]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("by", ["another program", "another service", "workers of another service"])
def test_a_port_that_is_taken_is_told(tmp_path, capsys, monkeypatch, workers, by):
    from totalml.cli import main
    from totalml.serving.address import Address, listen

    monkeypatch.chdir(REPOSITORY)
    monkeypatch.setattr(sys, "path", [*sys.path])
    store = Store(tmp_path)
    promote(store, release(store))
    options = [socket.SO_REUSEPORT] if by.startswith("workers") else []
    somewhere = Address("127.0.0.1", 0, 1)
    with socket.create_server(("127.0.0.1", 0)) if "program" in by else listen(somewhere, *options) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        words = [f"--store={tmp_path}", f"--port={port}", f"--workers={workers}"]
        assert main(["serve", "pints@production", *words]) == 2
    assert f"cannot listen on 127.0.0.1:{port}" in capsys.readouterr().err
