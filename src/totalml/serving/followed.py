"""What a service follows: an alias, a file of deployments/ as it was applied last, or one release for good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from totalml.prediction_log.settings import LogSettings
from totalml.release.bundle import read_bundle
from totalml.serving.limits import Limits

if TYPE_CHECKING:
    from totalml.deployment.deployments import Deployments
    from totalml.project import Place
    from totalml.recipe.monitoring import MonitoringRecipe
    from totalml.serving.answering import Answering
    from totalml.serving.live import Wanted
    from totalml.store import Store

ALIAS, DEPLOYMENT, RELEASE, FOLDER = "alias", "deployment", "release", "folder"
TOKEN_VARIABLE = "TOTALML_TOKEN"  # noqa: S105  # the name of a variable


@dataclass(frozen=True)
class Followed:
    """Plain values, so that it can be handed to another process.

    Args:
        named: as a person calls it.
        kind: ALIAS, DEPLOYMENT, RELEASE or FOLDER.
        key: the alias, the name of the deployment, the bundle hash, or the folder.
        monitoring: None: nobody is to watch.
        place: where alerts that are told in files are written; None: nobody is told.
    """

    named: str
    model: str
    kind: str
    key: str
    limits: Limits = field(default_factory=Limits)
    token_variable: str = TOKEN_VARIABLE
    log: LogSettings = field(default_factory=LogSettings)
    monitoring: MonitoringRecipe | None = None
    place: Place | None = None

    def live(self, store: Store | None, threads: int, said: Callable[[str], None]) -> Answering:
        """Raises: StoreError, ModelError: its release cannot be loaded."""
        from totalml.serving.answering import Answering
        from totalml.serving.live import Live
        from totalml.serving.loading import load

        if store is None or self.kind == FOLDER:
            return Answering(load(read_bundle(Path(self.key)), threads), self.named)
        alias = None if self.kind == RELEASE else self.key
        return Live(store, self.named, alias, self.wanted(store), threads, said)

    def wanted(self, store: Store) -> Callable[[], Wanted]:
        """Asks which release is to answer now, and which one beside it."""
        from totalml.deployment.deployments import Deployments
        from totalml.registry import Aliases
        from totalml.serving.live import Wanted

        if self.kind == RELEASE:
            return lambda: Wanted(self.key)
        if self.kind == DEPLOYMENT:
            deployments = Deployments(store, self.model)
            return lambda: _wanted(deployments, self.key, self.log.predictions)
        aliases = Aliases(store, self.model)
        return lambda: Wanted(standing.release if (standing := aliases.standing(self.key)) else "")


def _wanted(deployments: Deployments, name: str, judged: bool) -> Wanted:
    """Args: judged: whether a log is kept, by which a challenger is; one that nobody judges is not to answer."""
    from totalml.serving.live import Wanted

    deployment = deployments.standing(name)
    threshold = deployment.threshold if deployment else None
    return Wanted(deployments.release(name), deployments.challenger(name) if judged else None, threshold)


def follow(text: str | Path, store: Store | None, logs: bool) -> Followed:
    """Args:
        text: as a person calls it; a path is the folder of a release, which needs no store.
    Raises: RecipeError: there is no such thing, or no release of it. StoreError: its release is damaged.
    """
    log = LogSettings(predictions=logs)
    if isinstance(text, Path) or store is None:
        bundle = read_bundle(Path(text))
        bundle.verify()
        return Followed(str(text), bundle.name, FOLDER, str(text), log=log)
    from totalml.deployment.deployment import ENDINGS

    if text.endswith(ENDINGS):
        return _deployment(Path(text), text, store, logs)
    from totalml.release.named import find_named

    named = find_named(text, store)
    if named.alias is None:
        return Followed(named.text, named.model, RELEASE, named.release, log=log)
    return Followed(named.text, named.model, ALIAS, named.alias, log=log)


def _deployment(file: Path, text: str, store: Store, logs: bool) -> Followed:
    from totalml.deployment.deploy import require_release
    from totalml.deployment.deployments import Deployments
    from totalml.deployment.read import read_deployment

    model = read_deployment(file, text).model
    deployments = Deployments(store, model)
    told = deployments.require(file.stem, text)
    require_release(told.release, model, deployments, store, text)
    log = told.log if logs else LogSettings(predictions=False)
    limits, watched = Limits.of(told.limits), told.monitoring if logs else None
    return Followed(text, model, DEPLOYMENT, file.stem, limits, told.token_variable, log, watched)
