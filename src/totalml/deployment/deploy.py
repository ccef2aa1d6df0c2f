"""Apply a file of `deployments/`: from then on its services answer as it says. One event of the journal, or none.

  totalml deploy deployments/guinness.yaml --check      in a pull request: is it whole, is its release there and fits
  totalml deploy deployments/guinness.yaml --why "..."  on merge; again, and nothing happens
  totalml serve deployments/guinness.yaml               a service that follows it

To roll back, revert the commit and deploy again. Exit code 3: the release would let down the callers of what is
deployed now; --force overrules, and stands in the history. Who may deploy says team.yaml, where the project has one.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.errors import GateError, RecipeError
from totalml.identity import short

if TYPE_CHECKING:
    from totalml.deployment.deployment import Deployment
    from totalml.deployment.deployments import Deployments
    from totalml.project import Place
    from totalml.release.bundle import Bundle
    from totalml.store import Store
    from totalml.store.event import Draft, Event


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="deployments/NAME.yaml")
    parser.add_argument("--check", action="store_true", help="change nothing, say whether it could be deployed")
    parser.add_argument("--why", metavar="TEXT", default="", help="kept in the journal")
    parser.add_argument("--force", action="store_true", help="although callers may be let down")


def run(arguments: argparse.Namespace, place: Place) -> int:
    from totalml.deployment.deployments import Deployments
    from totalml.deployment.read import read_deployment
    from totalml.release.signature import let_down
    from totalml.team import require_deployer

    file = Path(arguments.file)
    deployment, store = read_deployment(file, arguments.file), place.open_store()
    if not arguments.check:
        require_deployer(deployment.model, place.project)
    deployments = Deployments(store, deployment.model)
    bundle = require_release(deployment.release, deployment.model, deployments, store, arguments.file)
    challenger = _challenger(deployment, deployments, store, arguments.file)
    _require_threshold(deployment, bundle, arguments.file)
    _require_watched(deployment, bundle, arguments.file)
    misfits = let_down(bundle, deployments.release(file.stem), store)
    if challenger is not None:
        misfits += [f"challenger: {misfit}" for misfit in let_down(challenger, bundle.hash, store)]
    if misfits and not arguments.force:
        listed = "\n".join(f"  {misfit}" for misfit in misfits)
        raise GateError(f"{arguments.file} is not deployed; callers would be let down:\n{listed}", bundle.folder)
    told = f"{file.stem}: {deployment.model}@{deployment.release}, release {short(bundle.hash, 12)}"
    if deployment.challenger is not None:
        which = f"release {short(challenger.hash, 12)}" if challenger else "which points nowhere yet"
        if challenger is not None and challenger.hash == bundle.hash:
            which = "which is that release, too, until the next one"
        told += f", with {deployment.challenger.release} as its challenger, {which}"
    if arguments.check:
        print(f"{told}; it can be deployed")
    elif _append(deployment, file.stem, deployments, arguments.why, misfits):
        print(f"{told}, is deployed")
    else:
        print(f"{told}, is deployed already")
    return 0


def _require_threshold(deployment: Deployment, bundle: Bundle, file: str) -> None:
    """Raises: RecipeError: the file gives one, and the release has no positive class."""
    from totalml.release.signature import Signature

    if deployment.threshold is not None and Signature.read(bundle).decision.get("positive") is None:
        raise RecipeError(
            f"{file}: threshold: release {short(bundle.hash, 12)} knows no positive class; leave the threshold out, or "
            "release a run whose recipe says what each mistake costs (evaluation.calibration.costs)"
        )


def _require_watched(deployment: Deployment, bundle: Bundle, file: str) -> None:
    """Raises: RecipeError: callers of the release send no column that the monitor is to look at; all of them."""
    from totalml.release.signature import Signature
    from totalml.target import did_you_mean

    signature = Signature.read(bundle)
    known = (*signature.columns, *signature.context)
    wanted = deployment.monitoring.columns if deployment.monitoring is not None else ()
    there = f"; there are: {', '.join(known) or 'none'}; leave it out, or release a run whose recipe watches it, too"
    mistakes = [
        f"{file}: monitoring: {name!r} is no column that callers of release {short(bundle.hash, 12)} send"
        f"{did_you_mean(name, known) or there}"
        for name in wanted
        if name not in known
    ]
    if mistakes:
        raise RecipeError(*mistakes)


def _challenger(deployment: Deployment, deployments: Deployments, store: Store, file: str) -> Bundle | None:
    """None: the file names none, or an alias that points nowhere yet.

    Raises: as `require_release`.
    """
    if deployment.challenger is None or not deployments.points_at(deployment.challenger.release):
        return None
    return require_release(deployment.challenger.release, deployment.model, deployments, store, file)


def require_release(reference: str, model: str, deployments: Deployments, store: Store, file: str) -> Bundle:
    """A release that the file names, held to its digests.

    Raises: RecipeError: there is none. StoreError: it is damaged.
    """
    from totalml.release.bundle import open_bundle
    from totalml.release.named import find_promotion
    from totalml.release.named import require_release as require

    found = deployments.points_at(reference)
    if not found:
        text = f"{model}@{reference}"
        found = require(find_promotion(text, store, file), text, file)
    bundle = open_bundle(found, store)
    bundle.verify()
    if bundle.name == model and not deployments.is_registered(found):
        raise RecipeError(
            f"{file}: release {short(found, 12)} lies in the store, but was never registered, so nobody asked its "
            "gates; totalml promote RUN --alias candidate does that"
        )
    if bundle.name != model:
        raise RecipeError(f"{file}:1: release {reference} is one of {bundle.name}, not of {model}")
    return bundle


def _append(deployment: Deployment, name: str, deployments: Deployments, why: str, forced: list[str]) -> bool:
    """Whether anything was to be changed."""
    from totalml.deployment.deployments import DEPLOYED
    from totalml.machine import user
    from totalml.runs.attempt import now
    from totalml.store.event import Draft

    settings = deployment.as_json()

    def draft(_: list[Event]) -> Draft | None:
        if deployments.standing(name) == deployment:
            return None
        return Draft(DEPLOYED, {"deployment": name, "settings": settings, "why": why, "forced": forced}, user(), now())

    return deployments.append(draft) is not None
