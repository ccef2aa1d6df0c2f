"""A recipe that is YAML alone runs nothing: what it tries is refused at its file and line before anything is done."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.security.hostile import TABLE

REPOSITORY = Path(__file__).parents[2]
LINE = re.compile(r"(recipes|conf)/[\w/]+\.yaml:\d+: \S")


PROCESSES = 2


@pytest.fixture(scope="module")
def attack(tmp_path_factory):
    """What came of every recipe of the table, and of the controls."""
    path = os.pathsep.join(map(str, (REPOSITORY / "src", REPOSITORY)))
    environment = {**os.environ, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.security.attack", str(part), str(PROCESSES)],
            cwd=tmp_path_factory.mktemp("attack"), env=environment, stdout=subprocess.PIPE, text=True,
        )
        for part in range(PROCESSES)
    ]  # fmt: skip
    parts = [json.loads(process.communicate()[0].splitlines()[-1]) for process in started]
    return {kind: parts[0][kind] | parts[1][kind] for kind in ("attacked", "control")}


@pytest.mark.slow
@pytest.mark.parametrize("hostile", TABLE, ids=lambda hostile: hostile.name[:60])
def test_a_hostile_recipe_is_refused_at_its_line_and_does_nothing(attack, hostile):
    for how, told in attack["attacked"][hostile.name].items():
        assert told["code"] == 2, (how, told)
        assert sum(map(bool, map(LINE.match, told["said"].splitlines()))) >= hostile.lines, (how, told["said"])
        assert "Traceback" not in told["said"]
        assert (told["seen"], told["canary"]) == ([], False), how


def test_the_hook_and_the_canary_notice_the_attack_where_it_is_given_by_hand(attack):
    told = attack["control"]["attack"]
    assert told["canary"]
    assert {event.partition(" ")[0] for event in told["seen"]} >= {"import", "subprocess.Popen"}
    assert "import 'torch.utils.collect_env'" in told["seen"]


def test_a_recipe_that_is_not_hostile_starts_its_job_under_the_same_hook(attack):
    assert attack["control"]["harmless"] == {"code": 0, "said": "", "seen": ["started a job"], "canary": False}


def test_the_hook_notices_files_that_are_written_and_addresses_that_are_asked(attack):
    events = {event.partition(" ")[0] for event in attack["control"]["each"]["seen"]}
    assert events >= {"open", "os.system", "os.posix_spawn", "socket.connect", "os.mkdir"}
