"""The command `totalml`: light, helpful when misspelt, quiet about tracebacks."""

import subprocess
import sys
from pathlib import Path

import pytest

from totalml.cli import VERBS, main

REPOSITORY = Path(__file__).parents[1]
HEAVY = "{'torch', 'torchvision', 'lightning', 'pandas', 'pyarrow', 'numpy', 'PIL', 'deepchecks'}"


def test_the_help_lists_every_verb(capsys):
    for arguments in ([], ["--help"]):
        assert main(arguments) == 0
        shown = capsys.readouterr().out
        assert all(f"totalml {verb}" in shown for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb, capsys):
    assert main([*verb.split(), "--help"]) == 0
    assert f"totalml {verb}" in capsys.readouterr().out


def test_the_first_word_of_several_verbs_lists_them(capsys):
    assert main(["recipe"]) == 0
    shown = capsys.readouterr().out
    assert "totalml recipe check" in shown
    assert "totalml diff" not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["dif"], "there is no verb 'dif', did you mean 'diff'?"),
        (["recipe", "dif"], "there is no verb 'recipe dif', did you mean 'recipe diff'?"),
        (
            ["qwertz"],
            "there is no verb 'qwertz'; there are: verify, diff, compare, promote, rollback, registry list,",
        ),
        (["diff", "a"], "command line: the following arguments are required: b; see totalml diff --help"),
        (["verify"], "command line: the following arguments are required: what; see totalml verify --help"),
        (["diff", "a", "b", "--colour"], "command line: unrecognized arguments: --colour"),
    ],
)
def test_a_wrong_command_line_is_explained_in_a_line(arguments, message, capsys):
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert message in said
    assert len(said.splitlines()) == 1


def test_a_traceback_is_shown_when_asked_for(capsys, monkeypatch):
    assert main(["dif", "--traceback"]) == 2
    assert "Traceback" in capsys.readouterr().err
    monkeypatch.setenv("TOTALML_TRACEBACK", "1")
    main(["dif"])
    assert "Traceback" in capsys.readouterr().err


def test_outside_of_a_project_it_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["recipe", "check"]) == 2
    assert "is in no project; change to a folder with conf/ and recipes/" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["diff", "--help"],
        ["recipe", "check", "--no-smoke"],
        ["diff", "guinness", "guinness_smoke", "--store", "nowhere"],
    ],
)
def test_what_needs_no_torch_imports_none(arguments):
    code = (
        "import sys; from totalml.cli import main\n"
        "code = main(sys.argv[1:])\n"
        f"sys.exit(str(heavy) if (heavy := {HEAVY} & set(sys.modules)) else code)"
    )
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_it_with_130(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("totalml.cli._dispatch", interrupted)
    assert main(["diff", "a", "b"]) == 130
    assert capsys.readouterr().err == "interrupted\n"
