"""A warm command behaves as a process of its own."""

import signal
import subprocess

import pytest

from tests.projects import REPOSITORY
from tests.warm import python, run_python

WAIT = "import os, signal, time; signal.signal(2, lambda *_: os._exit(130)); print('up', flush=True); time.sleep(60)"


def started(code: str) -> subprocess.Popen[str]:
    return subprocess.Popen([*python(), "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(("code", "ends"), [("pass", 0), ("raise SystemExit(7)", 7), ("os.kill(os.getpid(), 9)", -9)])
def test_it_ends_as_its_code_ends(tmp_path, code, ends):
    assert run_python(["-c", f"import os; {code}"], tmp_path).returncode == ends


def test_it_has_the_folder_words_streams_and_variables_of_its_command(tmp_path):
    told = "os.getcwd(), sys.argv, os.environ['ONLY'], 'HOME' in os.environ"
    command = ["-c", f"import os, sys; print({told})", "word"]
    assert run_python(command, tmp_path, {"ONLY": "this"}).stdout == f"{tmp_path} ['-c', 'word'] this False\n"
    assert started("print(input())").communicate("said\n")[0] == "said\n"


@pytest.mark.parametrize(("path", "expected"), [(REPOSITORY / "src", "of the repository"), (None, "planted")])
def test_it_runs_the_totalml_that_it_finds(tmp_path, path, expected):
    (tmp_path / "totalml").mkdir()
    for name in ("__init__", "errors"):
        (tmp_path / "totalml" / f"{name}.py").write_text("told = 'planted'\n")
    code = "import totalml.errors as errors, sys; print(getattr(errors, 'told', 'of the repository'))"
    code += "; assert ('totalml.runner' in sys.modules) == (not hasattr(errors, 'told'))"
    where = tmp_path / "elsewhere" if path else tmp_path
    where.mkdir(exist_ok=True)
    assert run_python(["-c", code], where, {"PYTHONPATH": str(path or tmp_path)}).stdout == f"{expected}\n"


def test_it_hears_an_interrupt():
    process = started(WAIT)
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130


def test_what_it_forked_is_gone_once_it_is_killed():
    process = started(WAIT)
    process.stdout.readline()
    process.kill()
    assert process.communicate(timeout=30)[0] == ""  # nobody holds the other end of its stream
