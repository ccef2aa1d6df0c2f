"""A few letters find a run, or an error says which there are."""

import json

import pytest

from totalml.errors import RecipeError
from totalml.runs.find import find_run, finished_run

CONFIG = "blake3:" + "a" * 64


@pytest.fixture
def runs(tmp_path):
    for recipe, run, number, status in [
        ("guinness", "aaaaaaaa-00000001", 1, "finished"),
        ("guinness", "aaaaaaaa-00000001", 2, "finished"),
        ("guinness", "aaaaaaaa-00000001", 3, "failed"),
        ("guinness", "aaaabbbb-00000001", 1, "finished"),
        ("clothing", "cccccccc-00000002", 1, "interrupted"),
    ]:
        folder = tmp_path / recipe / run / str(number)
        folder.mkdir(parents=True)
        facts = {"status": status, "code": {"digest": "x"}, "config_hash": CONFIG, "ended": f"2026-01-0{number}"}
        (folder / "run.json").write_text(json.dumps(facts))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("aaaaaaaa-00000001", "guinness/aaaaaaaa-00000001/2"),
        ("aaaabb", "guinness/aaaabbbb-00000001/1"),
        ("aaaaaaaa-00000001/1", "guinness/aaaaaaaa-00000001/1"),
        ("aaaaaa/3", "guinness/aaaaaaaa-00000001/3"),
        ("guinness", "guinness/aaaaaaaa-00000001/2"),
    ],
)
def test_it_finds_the_latest_finished_attempt_or_the_one_that_is_named(runs, text, expected):
    assert find_run(text, runs).folder == runs / expected


def test_it_finds_a_folder(runs, monkeypatch):
    folder = runs / "guinness" / "aaaaaaaa-00000001"
    assert find_run(str(folder / "3"), runs).number == 3
    assert find_run(str(folder), runs).number == 2
    monkeypatch.chdir(folder)
    assert find_run("1", runs).number == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("aaaa", r"start of several runs: aaaaaaaa-00000001 \(guinness\), aaaabbbb-00000001 \(guinness\)"),
        ("aaa", "there is no run 'aaa'"),  # too short to mean one
        ("guinnes", "did you mean 'guinness'"),
        ("dddddddd-00000001", "there is no run 'dddddddd-00000001'"),
        ("aaaaaaaa-00000001/7", "has no attempt '7'; there are: 1, 2, 3"),
        ("clothing", "no finished attempt; unfinished: cccccccc-00000002/1"),
        ("../guinness", "there is no run"),
        ("", "there is no run"),
    ],
)
def test_what_means_nothing_or_too_much_is_explained(runs, text, message):
    with pytest.raises(RecipeError, match=message):
        find_run(text, runs)


def test_a_folder_without_runs_is_called_so(tmp_path):
    with pytest.raises(RecipeError, match="there are no runs in"):
        find_run("guinness", tmp_path / "nowhere")


def test_the_run_of_a_config_hash_is_the_latest_finished_one(runs):
    assert finished_run("guinness", CONFIG, runs).folder == runs / "guinness/aaaaaaaa-00000001/2"
    assert finished_run("guinness", "blake3:" + "b" * 64, runs) is None
