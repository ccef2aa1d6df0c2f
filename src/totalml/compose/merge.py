"""Merge conf/, a recipe and overrides by Hydra's own loader, without the settings that say how Hydra itself runs.

Hydra's `compose` lays nine files and a schema of them under everything, imports every plugin that they might name, and
drops it all again: two thirds of its time. A command line that asks for such a setting still goes that way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository, IConfigRepository
from hydra._internal.defaults_list import DefaultsList, create_defaults_list
from hydra.core.default_element import GroupDefault, ResultDefault
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from hydra.version import setbase
from omegaconf import DictConfig, OmegaConf, open_dict

from totalml.compose import config_sources
from totalml.compose.config_file import HYDRA
from totalml.compose.config_sources import PRIMARY
from totalml.compose.stand_ins import stand_in

VERSION_BASE = "1.3"
SEARCH_PATH = "hydra.searchpath"  # to files elsewhere


@dataclass(frozen=True)
class Merged:
    """Args:
    config: what files and overrides come to.
    files: in merge order, without Hydra's own; None: not known.
    """

    config: DictConfig
    files: Sequence[ResultDefault] | None = None


class _Files(CachingConfigRepository):
    """Without a copy of those of a loader that nobody else has, which takes a tenth of a merge."""

    def __init__(self, delegate: IConfigRepository) -> None:
        self.delegate, self.cache = delegate, {}


def merge(project: Path, overrides: Sequence[str]) -> Merged:
    """Raises: HydraException and OmegaConfBaseException; ValueError, TypeError and the like by Hydra's own checks."""
    loader = _loader(project)
    given, files = _parsed(overrides), _Files(loader.repository)
    if HYDRA in {*_reached(given, files)}:
        return Merged(_by_hydra(project, overrides))
    loader.validate_sweep_overrides_legal(given, RunMode.RUN, from_shell=False)
    order = _order(given, files)
    config = loader._compose_config_from_defaults_list(order.defaults, files)
    OmegaConf.set_struct(config, True)
    loader._apply_overrides_to_config(order.config_overrides, config)
    with open_dict(config):
        config.pop(HYDRA, None)
    return Merged(config, order.defaults)


def merged_files(project: Path, overrides: Sequence[str]) -> Sequence[ResultDefault]:
    """As in `Merged`, where nothing was merged here."""
    given = [override for override in _parsed(overrides) if not override.is_hydra_override()]
    return _order(given, _Files(_loader(project).repository)).defaults


def _parsed(overrides: Sequence[str]) -> list[Override]:
    return OverridesParser.create().parse_overrides([*overrides])


def _loader(project: Path) -> ConfigLoaderImpl:
    setbase(VERSION_BASE)
    loader = ConfigLoaderImpl(config_sources.search_path(project))
    loader.ensure_main_config_source_available()
    return loader


def _order(overrides: list[Override], files: IConfigRepository) -> DefaultsList:
    return create_defaults_list(files, PRIMARY, overrides, prepend_hydra=False, skip_missing=False)


def _reached(overrides: Sequence[Override], files: IConfigRepository) -> Iterator[str]:
    """The top key or group of whatever overrides, and the defaults list of conf/config.yaml, set."""
    for override in overrides:
        yield from (_top(place) for place in (override.key_or_group, override.package or ""))
    primary = files.load_config(PRIMARY)
    if primary is None:
        return
    if OmegaConf.select(primary.config, SEARCH_PATH) is not None:
        yield HYDRA
    for default in primary.defaults_list or ():
        name = default.group if isinstance(default, GroupDefault) else getattr(default, "path", None)
        yield from (_top(place) for place in (name or "", default.package or ""))


def _top(place: str) -> str:
    return place.lstrip("/").replace("/", ".").partition(".")[0]


def _by_hydra(project: Path, overrides: Sequence[str]) -> DictConfig:
    config_sources.register(project)
    stand_in(project / "conf")
    with initialize_config_dir(str(project / "conf"), version_base=VERSION_BASE):
        return compose(PRIMARY, overrides=[*overrides])
