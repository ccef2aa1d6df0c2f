"""A project with a team, two releases that stood in production, and who is at the machine."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serving.serving import promote, release
from totalml.cli import main
from totalml.store import Store

TEAM = """\
owner: ann
reviewers: [eve, bob]
may_deploy: [ann, runner]
told:
  all: [ann]
  concept: [eve]
models:
  pints:
    may_promote: [eve]
people:
  ann: {handle: "@ann-d"}
  eve: {mail: eve@example.org}
"""
DEPLOYMENT = "model: pints\nchallenger: {release: candidate}\n"
RUN = "0000aaaa-0000bbbb"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Recipes `pints` and `stouts`; a deployment, and a run of pints that was interrupted."""
    for part in ("conf", "recipes", "deployments", f"runs/pints/{RUN}/1"):
        (tmp_path / part).mkdir(parents=True)
    for name in ("pints", "stouts"):
        (tmp_path / f"recipes/{name}.yaml").write_text(f"name: {name}\n")
    (tmp_path / "deployments/pub.yaml").write_text(DEPLOYMENT)
    (tmp_path / "team.yaml").write_text(TEAM)
    run = {"schema": 1, "name": "pints", "run_id": RUN, "attempt": 1, "status": "interrupted", "code": {"digest": "x"}}
    (tmp_path / f"runs/pints/{RUN}/1/run.json").write_text(json.dumps(run))
    return tmp_path


@pytest.fixture
def store(project: Path) -> Store:
    """Two releases of pints, one after the other in production."""
    store = Store(project / ".totalml")
    for share in (1.0, 0.99):
        promote(store, release(store, share))
    return store


@pytest.fixture
def tell(project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `totalml ...` says to a user of the machine."""
    monkeypatch.chdir(project)
    monkeypatch.setattr(sys, "path", [*sys.path])

    def tell(who: str, *words: str, expect: int = 0) -> str:
        monkeypatch.setenv("LOGNAME", who)
        code = main(words)
        out, err = capsys.readouterr()
        assert code == expect, out + err
        assert "Traceback" not in err
        return out + err

    return tell
