"""Where Hydra reads from: `conf/`, and beside it `recipes/*.yaml` as the options of group `recipe`.

A recipe, and a group of conf/, says what to compute and never how Hydra runs: Hydra would instantiate callbacks,
launchers and log handlers that they name before anything is validated. `conf/config.yaml` and `conf/hydra/` may.
"""

import re
from pathlib import Path

from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin

from totalml.compose.config_file import HYDRA, read_config, refuse_hydra
from totalml.errors import RecipeError

GROUP = "recipe"
PRIMARY = "config"
SHARED = "shared"
_INSIDE = re.compile(r"(?:[\w-]+/)*[\w-]+(?:\.yaml)?", re.ASCII)  # names a file or folder below; `..` leads out


class ConfSource(FileConfigSource):
    """The folder `path`, whose files, other than `config` and those in hydra/, are keys of the recipe."""

    @staticmethod
    def scheme() -> str:
        return "conf"

    def load_config(self, config_path: str) -> ConfigResult:
        file = Path(self.path, self._normalize_file_name(config_path))
        if not self.is_config(config_path):
            raise ConfigLoadError(f"there is no file {file}")
        name = file.relative_to(Path(self.path).parent).as_posix()
        config = read_config(file, name)
        header = self._get_header_dict(file.read_text(encoding="utf-8")[:512])
        if config_path.removesuffix(".yaml") != PRIMARY and not config_path.startswith(f"{HYDRA}/"):
            if len(header) > 1 or header["package"] not in (None, "_group_"):
                raise RecipeError(f"{name}:1: a file of conf/ stays in its group; remove the line '# @package ...'")
            refuse_hydra(config, file, name, own_keys=False)
        return ConfigResult(self.provider, self.full_path(), config, header)

    def is_group(self, config_path: str) -> bool:
        return _is_option(config_path) and super().is_group(config_path)

    def is_config(self, config_path: str) -> bool:
        return _is_option(config_path) and super().is_config(config_path)

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        return [name for name in super().list(config_path, results_filter) if config_path or name != SHARED]


class RecipesSource(ConfigSource):
    """Shows the folder `path` as the group `recipe`; a recipe's keys are those of the whole config."""

    @staticmethod
    def scheme() -> str:
        return "recipes"

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._file(config_path)
        if file is None:
            raise ConfigLoadError(f"no recipe at {config_path}")
        name = f"{GROUP}s/{file.name}"
        config = read_config(file, name)
        refuse_hydra(config, file, name, own_keys=True)
        return ConfigResult(self.provider, self.full_path(), config, {"package": "_global_"})

    def available(self) -> bool:
        return Path(self.path).is_dir()

    def is_group(self, config_path: str) -> bool:
        return config_path in ("", GROUP)

    def is_config(self, config_path: str) -> bool:
        return self._file(config_path) is not None

    def list(self, config_path: str, results_filter: ObjectType | None) -> list[str]:
        if config_path == "":
            return [] if results_filter == ObjectType.CONFIG else [GROUP]
        if config_path != GROUP or results_filter == ObjectType.GROUP:
            return []
        return sorted(file.stem for file in Path(self.path).glob("*.yaml"))

    def _file(self, config_path: str) -> Path | None:
        group, _, name = config_path.removesuffix(".yaml").partition("/")
        file = Path(self.path, f"{name}.yaml")
        return file if group == GROUP and "/" not in name and _is_inside(name) and file.is_file() else None


def search_path(project: Path) -> ConfigSearchPath:
    """The project's folders alone, for a loader that knows no plugins."""
    for source in (ConfSource, RecipesSource, StructuredConfigSource):
        SourcesRegistry.instance().register(source)
    path = ConfigSearchPathImpl()
    path.append("main", f"{ConfSource.scheme()}://{project / 'conf'}")
    path.append("recipes", f"{RecipesSource.scheme()}://{project / 'recipes'}")
    path.append("schema", f"{StructuredConfigSource.scheme()}://")
    return path


def register(project: Path) -> None:
    """Have every Hydra started in this process from now on read the project's folders through the sources above."""

    class ProjectOnSearchPath(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            for element in search_path.get_path():
                if (element.path or "").removeprefix("file://") == str(project / "conf"):
                    element.path = f"{ConfSource.scheme()}://{project / 'conf'}"
            if not any(element.provider == "recipes" for element in search_path.get_path()):
                search_path.append("recipes", f"{RecipesSource.scheme()}://{project / 'recipes'}")

    plugins = Plugins.instance()
    plugins.register(ConfSource)
    plugins.register(RecipesSource)
    unregister()  # a later project in the same process, as in tests, replaces the folder of an earlier one
    plugins.register(ProjectOnSearchPath)


def unregister() -> None:
    """Take the project off the search path again."""
    known = Plugins.instance().plugin_type_to_subclass_list[SearchPathPlugin]
    known[:] = [plugin for plugin in known if plugin.__name__ != "ProjectOnSearchPath"]


def _is_option(config_path: str) -> bool:
    """Definitions of shared features are no options of a group: recipes name them among their features."""
    return _is_inside(config_path) and config_path.partition("/")[0] != SHARED


def _is_inside(config_path: str) -> bool:
    return config_path == "" or _INSIDE.fullmatch(config_path) is not None
