"""A crew gives what a plain loop gives, in its order, whatever happens to those who work."""

import argparse
import os
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import count, islice
from pathlib import Path

import pytest

from totalml.errors import MissingExtraError, RecipeError, WorkerError
from totalml.workers import Crew, processes, threads
from totalml.workers.crew import HANDFULS
from totalml.workers.options import configure_crew, crew_of

HELD: list[bytes] = []  # in a process
CREWS = [Crew(workers=3), Crew("loky", 2)]
RAY = pytest.param(
    Crew("ray", 2), marks=[pytest.mark.service, pytest.mark.slow, pytest.mark.filterwarnings("ignore")]
)  # its own warnings


@pytest.fixture(autouse=True)
def with_ray_where_it_is_asked_for(request):
    if "crew" in request.fixturenames and request.getfixturevalue("crew").backend == "ray":
        pytest.importorskip("ray")


def killed_at(number: int, wanted: int, marks: Path) -> int:
    """Twice the number; the process of one that is wanted is killed as long as a mark lies there."""
    if number == wanted:
        for mark in islice(marks.iterdir(), 1):
            mark.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def always_killed_at(number: int, wanted: int) -> int:
    if number == wanted:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number


def grown_at(number: int, wanted: int) -> int:
    """The process, which has 400 MB more from one that is wanted on, and takes a while for it."""
    if number == wanted:
        HELD.append(b"1" * 400_000_000)
        time.sleep(1.1)  # loky looks each second
    return os.getpid()


def unlucky_at(number: int, wanted: int) -> int:
    if number == wanted:
        raise LookupError("none left", number)
    return number


@pytest.mark.parametrize("crew", [*CREWS, RAY])
@pytest.mark.parametrize("many", [0, 1, 50])
def test_results_come_in_the_order_of_the_items(crew, many):
    assert list(crew.map(abs, range(-many, 0), str)) == [*range(many, 0, -1)]


@pytest.mark.parametrize("crew", [*CREWS, RAY])
@pytest.mark.parametrize("many", [0, 1, 300])
def test_small_items_come_back_in_order_too(crew, many):
    assert list(crew.spread(abs, range(-many, 0), str)) == [*range(many, 0, -1)]


def test_a_function_is_sent_once_for_a_handful_of_small_items(monkeypatch):
    sent = []
    monkeypatch.setattr(Crew, "map", lambda _, function, items, *named: map(function, sent.extend(items) or sent))
    assert list(Crew("loky").spread(abs, range(1000), str)) == [*range(1000)]
    assert len(sent) <= HANDFULS


def test_a_process_that_has_grown_goes_on():
    pytest.importorskip("psutil")  # by which loky would see it
    assert len({*Crew("loky", 1).map(partial(grown_at, wanted=1), range(3), str)}) == 1
    processes.end()


def test_no_more_processes_are_started_than_there_are_items():
    processes.end()
    assert list(Crew("loky", 3).map(abs, [-1], str, count=1)) == [1]
    assert [*processes._executors] == [1]


@pytest.mark.parametrize("crew", [Crew("loky", 2), RAY])
@pytest.mark.parametrize("times", [1, 2])
def test_what_a_killed_worker_had_in_hand_is_done_again(crew, times, tmp_path):
    for number in range(times):
        (tmp_path / str(number)).touch()
    work = partial(killed_at, wanted=5, marks=tmp_path)
    assert list(crew.map(work, range(12), str)) == [*range(0, 24, 2)]
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("crew", [Crew("loky", 2), RAY])
def test_an_item_that_ends_every_worker_is_named_and_no_other(crew):
    done = crew.map(partial(always_killed_at, wanted=5), range(12), "segment {}".format)
    with pytest.raises(WorkerError, match=r"^segment 5 ended 3 workers"):
        list(done)
    assert list(crew.map(abs, [-1], str)) == [1]


@pytest.mark.parametrize("crew", [*CREWS, RAY])
def test_what_the_function_raises_is_raised_after_what_came_before(crew):
    done, before = crew.map(partial(unlucky_at, wanted=7), range(20), str), []
    with pytest.raises(LookupError) as raised:
        before.extend(done)
    assert raised.value.args == ("none left", 7)
    assert before == [*range(7)]


@pytest.mark.parametrize(("crew", "ahead"), [(CREWS[0], threads.AHEAD), (CREWS[1], processes.AHEAD)])
def test_items_are_taken_as_results_are_and_no_faster(crew, ahead):
    taken = count()
    done = crew.map(abs, taken, str)
    assert list(islice(done, 3)) == [0, 1, 2]
    assert next(taken) <= 3 + ahead * (crew.workers or 0)
    done.close()


def test_a_backend_that_is_not_installed_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtraError, match=r"^runtime\.backend ray needs the package 'ray'.*totalml\[ray\]"):
        list(Crew("ray", asked_by="runtime.").map(abs, [1], str))


def test_no_workers_are_refused():
    parser = argparse.ArgumentParser()
    configure_crew(parser)
    assert crew_of(parser.parse_args(["--backend=loky"])) == Crew("loky")
    with pytest.raises(RecipeError, match="--workers is a number from 1"):
        crew_of(parser.parse_args(["--workers=0"]))


def test_joblib_of_others_works_in_the_process_that_has_used_workers():
    """As scikit-learn does by `n_jobs`, which deepchecks and code of a recipe ask for."""
    script = """
from joblib import Parallel, delayed
from totalml.workers import Crew
assert [*Crew("loky", 2).map(abs, [-1, -2], str)] == [1, 2]
assert Parallel(2)(delayed(abs)(each) for each in (-3, -4)) == [3, 4]
assert [*Crew("loky", 2).map(abs, [-5], str)] == [5]
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_process_whose_caller_was_killed_does_not_wait_for_it_to_take_a_result():
    """It holds both ends of the pipe that nobody reads any more."""
    script = """
import os, time
from totalml.workers import Crew
def large(caller):
    print(os.getpid(), flush=True)
    while os.getppid() == caller:
        time.sleep(0.01)
    return bytes(2**24)
list(Crew("loky", 1).map(large, [os.getpid()], str))
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as caller:
        assert caller.stdout is not None
        worker = int(caller.stdout.readline())
        caller.kill()
        try:
            caller.communicate(timeout=30)  # until nobody holds the other end
        except subprocess.TimeoutExpired:
            os.kill(worker, signal.SIGKILL)
            raise
