"""Let Hydra find `recipes/*.yaml` as the options of group `recipe`, beside `conf/` rather than inside it."""

from pathlib import Path

from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import OmegaConf

GROUP = "recipe"


class RecipesSource(ConfigSource):
    """Shows the folder `path` as the group `recipe`; a recipe is global unless its header says otherwise."""

    @staticmethod
    def scheme() -> str:
        return "recipes"

    def load_config(self, config_path: str) -> ConfigResult:
        file = self._file(config_path)
        if file is None:
            raise ConfigLoadError(f"no recipe at {config_path}")
        text = file.read_text(encoding="utf-8")
        header = self._get_header_dict(text)
        header["package"] = header.get("package") or "_global_"
        return ConfigResult(self.provider, self.full_path(), OmegaConf.create(text or "{}"), header)

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
        return file if group == GROUP and name and "/" not in name and file.is_file() else None


def register(recipes: Path) -> None:
    """Put the folder on the search path of every Hydra started in this process from now on."""

    class RecipesOnSearchPath(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if not any(element.provider == "recipes" for element in search_path.get_path()):
                search_path.append("recipes", f"recipes://{recipes}")

    plugins = Plugins.instance()
    plugins.register(RecipesSource)
    _forget(plugins, RecipesOnSearchPath.__name__)
    plugins.register(RecipesOnSearchPath)


def _forget(plugins: Plugins, name: str) -> None:
    """A later project in the same process, as in tests, replaces the folder of an earlier one."""
    known = plugins.plugin_type_to_subclass_list[SearchPathPlugin]
    known[:] = [plugin for plugin in known if plugin.__name__ != name]
