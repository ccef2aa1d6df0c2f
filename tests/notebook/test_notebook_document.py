"""The notebook of the docs does in a real kernel what it says, and shows what it should."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import nbformat

REPOSITORY = Path(__file__).parents[2]
DOCUMENT = REPOSITORY / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    """Executed in docs/ of a copy of the project, so that its run lies there."""
    import nbformat
    from nbclient import NotebookClient

    project = tmp_path_factory.mktemp("document")
    for folder in ("conf", "recipes"):
        shutil.copytree(REPOSITORY / folder, project / folder)
    (project / "docs").mkdir()
    notebook = nbformat.read(DOCUMENT, as_version=4)
    resources = {"metadata": {"path": str(project / "docs")}}
    return NotebookClient(notebook, timeout=120, resources=resources).execute()


def shown(notebook: nbformat.NotebookNode, source: str) -> list[dict[str, Any]]:
    """What the cell that ends with a line shows."""
    (cell,) = [cell for cell in notebook.cells if cell.source.splitlines()[-1] == source]
    return cell.outputs


def result(notebook: nbformat.NotebookNode, source: str) -> dict[str, str]:
    return next(output.data for output in shown(notebook, source) if output.output_type == "execute_result")


def test_it_is_committed_without_outputs():
    cells = json.loads(DOCUMENT.read_text())["cells"]
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in cells)


def test_the_run_is_whole_and_lies_in_the_project(executed):
    metrics = result(executed, "run.metrics")
    assert "accuracy" in metrics["text/plain"]
    assert metrics["text/html"].startswith("<table>")
    assert result(executed, 'totalml.runs("guinness_smoke")')["text/plain"].startswith("[guinness_smoke ")


def test_progress_is_a_bar_and_the_end_is_the_closing_table(executed):
    outputs = shown(executed, "run")
    assert any("application/vnd.jupyter.widget-view+json" in output.get("data", {}) for output in outputs)
    assert any("Time: training" in output.get("text", "") for output in outputs)


def test_the_model_answers_about_pictures_that_it_has_never_seen(executed):
    answer = result(executed, "run.model().predict(pints).to_pylist()")["text/plain"]
    assert answer.count("'predicted': 'bad'") + answer.count("'predicted': 'good'") == 3


def test_the_report_stands_in_a_frame_that_may_do_nothing(executed):
    frame = result(executed, "run.report()")["text/html"]
    assert frame.startswith("<iframe ")
    assert ' sandbox=""' in frame
    assert "&lt;h1&gt;Was this pint of Guinness poured well?" in frame


def test_a_mistake_is_shown_as_its_message_alone(executed):
    (error,) = shown(executed, 'totalml.compose("guinness_smoke", "training.epoch=5")')
    assert error.traceback == ["RecipeError: command line: unknown key 'training.epoch', did you mean 'epochs'?"]
