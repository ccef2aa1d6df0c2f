"""`scripts/gpu` says when there is nothing to measure, and what is not as it should be."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch

SCRIPT = Path(__file__).parents[1] / "scripts" / "bench_gpu.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_gpu", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["bench_gpu"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def runs(script, tmp_path, monkeypatch):
    """Runs that come to the accuracies told, on the CPU first."""

    def runs(*accuracies: float):
        made, told = script.Runs(tmp_path, "gpu", ()), iter(accuracies)
        made._tolerance = 0.02
        monkeypatch.setattr(made, "_run", lambda *_: script.Figures({"accuracy": next(told)}, 0.85, 0.95, 1.0))
        made.on_the_cpu()
        return made

    return runs


def test_without_a_device_it_ends_with_one_line_and_10(script, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["bench_gpu.py"])
    monkeypatch.setattr(sys, "path", [*sys.path])
    assert script.main() == 10
    assert capsys.readouterr().out.count("\n") == 1


@pytest.mark.parametrize(("device", "good"), [(0.91, True), (0.93, False)])
def test_figures_must_be_those_of_the_cpu_within_the_recipe_s_tolerance(device, good, runs):
    assert runs(0.9, device).on_the_device().good == good


@pytest.mark.parametrize(("accuracy", "good"), [(0.86, True), (0.84, False)])
def test_other_rounding_must_stay_within_the_interval(accuracy, good, runs):
    assert runs(0.9, accuracy).varied("bfloat16", "runtime.precision=bfloat16").good == good


def test_a_row_that_fails_says_why_and_counts_as_not_good(script, tmp_path):
    row = script._tried("recipe on cuda", script.Runs(tmp_path, "gpu", ("+recipe=guinness_smoke",)).on_the_device)
    assert (row.good, row.value) == (False, "failed")
    assert "no run on the CPU" in row.target


def test_pictures_a_second_are_those_of_the_epochs_alone(script, monkeypatch):
    monkeypatch.setattr(script, "_timed", lambda train, epochs: 7.0 + 2.0 * epochs)  # 7 s before the first epoch
    assert script._rate(None, 1000, 1, 5) == pytest.approx(500.0)
    monkeypatch.setattr(script, "_timed", lambda train, epochs: 7.0)
    with pytest.raises(RuntimeError, match="too busy"):
        script._rate(None, 1000, 1, 5)
