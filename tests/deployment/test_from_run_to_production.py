"""The whole way: trained, registered, promoted, served, asked over HTTP; a worse one stopped, a forced one undone."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from recipes.guinness.pint import draw_pints
from recipes.guinness.render import render
from tests.release.registered import EASY, NAME, Project, at_home
from tests.serving.test_serving_swap import WITHOUT_TORCH, process, until
from totalml.deployment.deployments import Deployments
from totalml.registry import Aliases
from totalml.store import Store

DEPLOYMENT = f"""model: {NAME}
challenger:
  release: candidate
  shadow:
    gates:
      - {{metric: agreement, at_least: 0.8}}
"""
# What came two seconds ago has its answers in the log, and is judged soon.
QUICK = f"""
from datetime import timedelta
from totalml.deployment import evidence
from totalml.serving import judging
evidence.SETTLES, judging.EVERY_S = timedelta(seconds=2), 0.5
{WITHOUT_TORCH}
"""
GOOD = ("training.epochs=12",)
WORSE = ("training.epochs=1", "training.optimizer.lr=1e-6")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    at_home(monkeypatch)
    return Project(tmp_path)


def photos(count: int) -> list[bytes]:
    pints, files = draw_pints(7, 0, count), []
    for image in render(pints, 96).images:
        out = BytesIO()
        Image.fromarray(image).save(out, "JPEG")
        files.append(out.getvalue())
    return files


@pytest.mark.slow
def test_from_a_run_to_production_and_back(project, tmp_path, capsys):
    pictures = photos(20)
    file = tmp_path / "pub.yaml"
    file.write_text(DEPLOYMENT)
    project.go(EASY, *GOOD)
    assert project.tell("promote", f"{NAME}@candidate", "--why", "opening night") == 0
    assert project.tell("deploy", str(file), "--check") == 0
    assert project.tell("deploy", str(file), "--why", "who answers") == 0
    store = Store(project.store)
    good = project.bundle("production").hash
    with (
        process(project.store, what=str(file), program=QUICK) as (_, base),
        httpx.Client(verify=False, base_url=base, timeout=30) as client,
    ):
        sent = 0

        def ask(count: int) -> set[str]:
            nonlocal sent
            releases = set()
            for _ in range(count):
                headers = {"Content-Type": "image/jpeg", "X-Request-ID": f"order-{sent}"}
                answer = client.post("/predict", content=pictures[sent % len(pictures)], headers=headers)
                assert answer.status_code == 200
                releases.add(answer.json()["release"])
                sent += 1
            return releases

        def challenger() -> dict | None:
            return client.get("/readyz").json()["challenger"]

        assert ask(20) == {good}
        said = [{"request_id": f"order-{number}", "label": "good"} for number in range(5)]
        assert client.post("/feedback", json={"labels": said}).json()["kept"] == 5

        # A worse one becomes a candidate, scores unseen, and is stopped by what it says.
        project.go(EASY, *WORSE)
        worse = project.bundle("candidate").hash
        assert worse != good
        until(challenger)
        assert challenger() == {"release": worse, "stage": "shadow", "share": 0.0}
        deployments = Deployments(store, NAME)

        def judged() -> bool:
            assert ask(20) == {good}
            return deployments.challenger("pub").stage != "shadow"

        until(judged)
        assert deployments.challenger("pub").stage == "stopped"
        until(lambda: challenger() is None)

        # Somebody forces it all the same, and it answers; then back, and the first one does.
        project.tell("promote", f"{NAME}@candidate", "--force", "--why", "the boss wants it")
        until(lambda: ask(1) == {worse})
        assert project.tell("rollback", NAME, "--why", "guests complain") == 0
        until(lambda: ask(1) == {good})
        assert ask(20) == {good}
    standing = Aliases(store, NAME).standing("production")
    assert (standing.release, standing.how, standing.why) == (good, "rolled back", "guests complain")
    capsys.readouterr()
    assert project.tell("registry", "history", NAME) == 0
    told = capsys.readouterr().out.splitlines()
    ways = ["rolled back", "promoted", "staged", "registered", "deployed", "promoted", "registered"]
    assert len(told) == 1 + len(ways)
    assert [way for way, line in zip(ways, told[1:], strict=True) if way in line] == ways
    assert "stopped" in told[3]
    assert "agreement: failed" in told[3]
    assert all(word in "\n".join(told) for word in ("guests complain", "the boss wants it", "opening night"))
    capsys.readouterr()
    assert project.tell("rollout", str(file)) == 0
    assert "stopped" in capsys.readouterr().out
