"""What a process that goes on tells on stderr, and what ends it."""

import signal
import sys
from types import SimpleNamespace

import pytest

from totalml import terminal
from totalml.terminal import end_on_sigterm_as_on_ctrl_c, say, speak_as


def test_lines_of_several_processes_do_not_run_into_each_other(monkeypatch):
    pieces = []
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=pieces.append, flush=lambda: None))
    say("pints is release 1, on http://127.0.0.1:8000")
    assert pieces == ["pints is release 1, on http://127.0.0.1:8000\n"]


def test_one_of_several_processes_says_which_it_is(monkeypatch, capfd):
    monkeypatch.setattr(terminal, "_spoken_by", "")
    say("alone")
    speak_as("worker 2")
    say("pints is release 1")
    assert capfd.readouterr().err == "alone\nworker 2: pints is release 1\n"


def test_a_process_goes_on_where_nobody_reads_what_it_says(monkeypatch):
    tried = []

    def gone(text: str) -> None:
        tried.append(text)
        raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", SimpleNamespace(write=gone, flush=lambda: None))
    say("still here")
    assert tried == ["still here\n"]


@pytest.mark.parametrize("ctrl_c", [signal.default_int_handler, signal.SIG_IGN], ids=["foreground", "left in a script"])
def test_sigterm_ends_a_process_also_where_ctrl_c_would_not(ctrl_c):
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        signal.signal(signal.SIGINT, ctrl_c)
        end_on_sigterm_as_on_ctrl_c()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
