import io
import subprocess
import sys
from pathlib import Path

from totalml.report import closing_table, show_closing_table

REPORT = Path("runs/pints/0123abcd-4567ef00/report.html")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def rows_of(content):
    return closing_table(content.evaluation.as_json(), content.seconds, {}, REPORT)


def plain(content):
    stream = io.StringIO()
    show_closing_table("pints", rows_of(content), stream)
    return stream.getvalue()


def test_plain_output_is_a_line_for_each_row(content_of):
    lines = plain(content_of(gold_noise=0.1)).splitlines()
    assert lines[0].startswith("Accuracy ")
    assert any(line.startswith("Best possible accuracy") for line in lines)
    assert any(line.split() == ["Time:", "training", "1", "min", "6", "s"] for line in lines)
    assert lines[-1].split() == ["Report", str(REPORT)]
    assert "\x1b" not in "".join(lines)
    assert not any(line.endswith(" ") for line in lines)


def test_a_terminal_gets_the_same_rows(content_of, monkeypatch):
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    terminal = Terminal()
    show_closing_table("pints", rows_of(content_of()), terminal)
    for what, _, _ in rows_of(content_of()):
        assert what in terminal.getvalue()
    assert str(REPORT) in terminal.getvalue()


def test_an_undefined_metric_says_why(content_of):
    assert "every sample of the test split is of class" in plain(content_of(samples=1))


def test_an_old_encoding_does_not_end_the_run(content_of):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    show_closing_table(
        "pints",
        rows_of(content_of(samples=1, classes=("schal", "s\N{LATIN SMALL LETTER U WITH DIAERESIS}ffig"))),
        stream,
    )
    stream.flush()
    assert b"Accuracy" in stream.buffer.getvalue()


def test_the_table_is_shown_without_heavy_imports():
    code = (
        "import sys, totalml.report as report; report.show_closing_table\n"
        "print({'numpy', 'torch', 'pyarrow', 'rich'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
