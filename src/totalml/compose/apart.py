"""Hydra for us alone in a process where others use it too, such as the kernel of a notebook."""

from collections.abc import Iterator
from contextlib import contextmanager

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.plugins import Plugins
from hydra.core.utils import JobRuntime
from hydra.version import VersionBase

from totalml.compose import config_sources


@contextmanager
def hydra_apart() -> Iterator[None]:
    """All that composing changes is put back: the app that runs, its job and version, search path and groups."""
    Plugins.instance()  # storing happens while plugins are imported
    job, version = JobRuntime.instance(), VersionBase.instance()
    groups = ConfigStore.instance().repo.get("hydra", {})
    app, name, base = GlobalHydra.instance().hydra, job.get("name"), version.getbase()
    stored = {key: dict(group) for key, group in groups.items() if isinstance(group, dict)}
    GlobalHydra.instance().clear()
    try:
        yield
    finally:
        GlobalHydra.instance().hydra = app  # asked again: Hydra puts another instance in its place
        version.version_base = base
        job.set("name", name)
        groups.update(stored)
        config_sources.unregister()
