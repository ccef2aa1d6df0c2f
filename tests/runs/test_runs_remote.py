"""Attempts that several machines make of one run: sent whole, taken over, never overwritten."""

import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.store.machines import DyingFileSystem, Killed
from totalml.errors import Interrupted, StoreError
from totalml.runs import open_runs
from totalml.runs.attempt import RESULTS, Attempt, attempts_of, new_attempt

RUN = "smoke", "0123-4567"
MADE_WITH = {part: {"digest": "d"} for part in ("code", "environment", "execution")}


@pytest.fixture(autouse=True)
def empty_filesystem():
    DyingFileSystem.empty()
    DyingFileSystem.die_after(math.inf)


@pytest.fixture
def told() -> list[str]:
    return []


@pytest.fixture
def machine(tmp_path, told):
    """The run folders of a machine by its name."""

    def machine(name: str, url: str = "dying://there"):
        return open_runs(url, str(tmp_path / name), told.append)

    return machine


def work(runs, maker: str, status: str = "finished") -> Attempt:
    """A new attempt whose every file says who made it."""
    attempt = new_attempt(runs.root.joinpath(*RUN), {**MADE_WITH, "status": status, "maker": maker})
    go_on(attempt, maker, status)
    return attempt


def go_on(attempt: Attempt, maker: str, status: str) -> None:
    for name in RESULTS if status == "finished" else ():
        (attempt.folder / name).write_text(maker)
    (attempt.folder / "checkpoints").mkdir(exist_ok=True)
    (attempt.folder / "checkpoints" / "best.ckpt").write_text(maker)
    (attempt.folder / "checkpoints" / "last.ckpt").write_text(maker)
    attempt.save(status=status, maker=maker, **({"results": attempt.results()} if status == "finished" else {}))


def seen(runs) -> dict[int, tuple[str, str]]:
    """Attempt -> its maker and status, after a look at the remote folder; every file must be the maker's."""
    runs.settle(*RUN)
    found = {}
    for attempt in attempts_of(runs.root.joinpath(*RUN))[0]:
        runs.complete(attempt)
        maker = attempt.facts["maker"]
        others = [path for path in attempt.folder.rglob("*") if path.is_file() and path.name != "run.json"]
        assert {path.read_text() for path in others} <= {maker}
        if attempt.status == "finished":
            assert attempt.lost() == []
        found[attempt.number] = (maker, attempt.status)
    return found


def test_another_machine_sees_a_finished_attempt_without_its_checkpoints(machine):
    machine("one").publish(work(machine("one"), "one"))
    other = machine("other")
    other.fetch(*RUN)
    folder = other.root.joinpath(*RUN, "1")
    assert [path.name for path in folder.iterdir()] == ["run.json"]
    assert seen(other) == {1: ("one", "finished")}
    assert not (folder / "checkpoints").exists()


def test_an_interrupted_attempt_is_continued_elsewhere_under_its_number(machine):
    machine("one").publish(work(machine("one"), "one", "interrupted"))
    other = machine("other")
    assert seen(other) == {1: ("one", "interrupted")}
    (attempt,) = attempts_of(other.root.joinpath(*RUN))[0]
    assert (attempt.folder / "checkpoints" / "last.ckpt").read_text() == "one"
    go_on(attempt, "other", "finished")
    other.publish(attempt)
    assert seen(machine("third")) == {1: ("other", "finished")}
    assert seen(machine("one")) == {1: ("other", "finished")}  # which had only the interrupted one


def test_two_machines_that_made_the_same_number_keep_both(machine, told):
    one, other = machine("one"), machine("other")
    first, second = work(one, "one"), work(other, "other")
    one.publish(first)
    other.publish(second)
    assert (first.number, second.number) == (1, 2)
    assert second.facts["attempt"] == 2
    assert "this one becomes 2" in told[0]
    assert seen(machine("third")) == {1: ("one", "finished"), 2: ("other", "finished")}
    assert seen(machine("one")) == {1: ("one", "finished"), 2: ("other", "finished")}
    assert first.facts["key"] != second.facts["key"]


def test_machines_that_send_at_the_same_time_each_get_a_number(machine, tmp_path):
    url = f"file://{tmp_path}/there"
    names = [f"m{number}" for number in range(4)]
    attempts = {name: work(machine(name, url), name) for name in names}
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: machine(name, url).publish(attempts[name]), names))
    assert sorted(attempt.number for attempt in attempts.values()) == [1, 2, 3, 4]
    found = seen(machine("reader", url))
    assert sorted(maker for maker, _ in found.values()) == names


def test_an_unfinished_attempt_gives_way_to_another_machines(machine):
    work(machine("one"), "one", "interrupted")
    machine("other").publish(work(machine("other"), "other"))
    assert seen(machine("one")) == {1: ("other", "finished"), 2: ("one", "interrupted")}


def test_a_number_that_is_claimed_is_not_taken(machine):
    first = work(machine("one"), "one")
    DyingFileSystem.die_after(1)  # claims, and dies
    with pytest.raises(Killed):
        machine("one").publish(first)
    DyingFileSystem.die_after(math.inf)
    machine("other").publish(work(machine("other"), "other"))
    machine("one").publish(first)
    assert seen(machine("third")) == {1: ("one", "finished"), 2: ("other", "finished")}


def test_what_both_continued_is_kept_from_both(machine):
    machine("one").publish(work(machine("one"), "one", "interrupted"))
    other = machine("other")
    seen(other)
    for name in ("other", "one"):
        (attempt,) = attempts_of(machine(name).root.joinpath(*RUN))[0]
        go_on(attempt, name, "finished")
        machine(name).publish(attempt)
    assert seen(machine("third")) == {1: ("other", "finished"), 2: ("one", "finished")}


@pytest.mark.parametrize("before", [None, "interrupted"])
def test_dying_at_any_step_leaves_an_attempt_whole_or_unseen_and_the_next_call_sends_it(machine, before):
    seen_at_all = set()
    for step in range(100):
        DyingFileSystem.empty()
        DyingFileSystem.die_after(math.inf)
        one = machine(f"one{step}")
        attempt = work(one, "one", before or "finished")
        if before:
            one.publish(attempt)
            go_on(attempt, "later", "finished")
        DyingFileSystem.die_after(step)
        try:
            one.publish(attempt)
            died = False
        except Killed:
            died = True
        DyingFileSystem.die_after(math.inf)
        found = seen(machine(f"reader{step}"))
        assert found in ({}, {1: ("later" if before else "one", "finished")}, {1: ("one", "interrupted")})
        seen_at_all.add(str(found))
        machine(f"one{step}").publish(attempt)
        assert seen(machine(f"late{step}")) == {1: ("later" if before else "one", "finished")}
        if not died:
            break
    assert not died
    assert step > 2 * len(RESULTS)
    assert len(seen_at_all) == (3 if before else 2)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("file", ["metrics.json", "run.json", "digests.json"])
def test_a_damaged_remote_attempt_is_named_and_sent_again_once_it_is_deleted(machine, told, tmp_path, file):
    url = f"file://{tmp_path}/there"
    machine("one", url).publish(work(machine("one", url), "one"))
    flip(tmp_path.joinpath("there", *RUN, "1", file))
    other = machine("other", url)
    other.settle(*RUN)
    for attempt in attempts_of(other.root.joinpath(*RUN))[0]:
        other.complete(attempt)
        assert attempt.lost()  # so the runner makes another one
    assert f"{url}/{'/'.join(RUN)}/1/" in told[0]
    assert "damaged" in told[0]
    second = work(other, "other")
    other.publish(second)
    assert second.number == 2
    assert f"Delete {url}/{'/'.join(RUN)}/1/digests.json" in told[0]
    tmp_path.joinpath("there", *RUN, "1", "digests.json").unlink()
    (first,) = attempts_of(machine("one", url).root.joinpath(*RUN))[0]
    machine("one", url).publish(first)
    assert seen(machine("third", url)) == {1: ("one", "finished"), 2: ("other", "finished")}


def test_an_attempt_is_sent_however_its_block_ends(machine, told):
    runs = machine("one")
    attempt = work(runs, "one", "running")
    go_on(attempt, "one", "interrupted")
    with pytest.raises(Interrupted, match="Ctrl-C"), runs.published(attempt):
        raise Interrupted("Ctrl-C")
    assert seen(machine("other")) == {1: ("one", "interrupted")}


def test_what_ended_a_run_is_told_even_if_the_attempt_cannot_be_sent(machine, told, tmp_path):
    (tmp_path / "there").write_text("in the way")
    runs = machine("one", f"file://{tmp_path}/there")
    attempt = work(runs, "one", "running")
    with pytest.raises(Interrupted, match="Ctrl-C"), runs.published(attempt):
        raise Interrupted("Ctrl-C")
    assert "cannot be written" in told[0]
    with pytest.raises(StoreError, match="cannot be written"), runs.published(attempt):
        pass


def test_what_was_sent_is_not_sent_again(machine):
    attempt = work(machine("one"), "one")
    machine("one").publish(attempt)
    DyingFileSystem.die_after(0)
    machine("one").publish(attempt)
