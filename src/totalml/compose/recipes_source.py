"""Let Hydra find `recipes/*.yaml` as the options of group `recipe`, beside `conf/` rather than inside it.

A recipe says what to compute and never how Hydra runs: Hydra would instantiate callbacks, launchers and log
handlers that a recipe names before anything of it is validated.
"""

from pathlib import Path

import yaml
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.object_type import ObjectType
from hydra.core.plugins import Plugins
from hydra.plugins.config_source import ConfigLoadError, ConfigResult, ConfigSource
from hydra.plugins.search_path_plugin import SearchPathPlugin
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from totalml.errors import RecipeError

GROUP = "recipe"


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
        config = _read(file, name)
        _refuse_hydra(config, name)
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
        return file if group == GROUP and name and "/" not in name and file.is_file() else None


def _read(file: Path, name: str) -> DictConfig:
    try:
        config = OmegaConf.create(file.read_text(encoding="utf-8") or "{}")
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise RecipeError(f"{name}:{line}: not valid YAML: {error.problem}") from error
    except (UnicodeDecodeError, yaml.YAMLError, OmegaConfBaseException, AssertionError) as error:
        raise RecipeError(f"{name}:1: not a YAML file in UTF-8: {error}") from error
    if not isinstance(config, DictConfig):
        raise RecipeError(f"{name}:1: a recipe is a mapping of keys to values, got a list")
    return config


def _refuse_hydra(config: DictConfig, name: str) -> None:
    """Raises: RecipeError: the recipe, or its defaults list, reaches into Hydra's own settings."""
    if "hydra" in config:
        raise RecipeError(
            f"{name}: unknown key 'hydra'; say how to run on the command line, e.g. hydra/launcher=joblib"
        )
    defaults = OmegaConf.to_container(config).get("defaults", [])  # type: ignore[union-attr]
    if not isinstance(defaults, list) or not all(isinstance(entry, str | dict) for entry in defaults):
        raise RecipeError(f"{name}: 'defaults' should be a list such as [guinness, override /model: mlp, _self_]")
    for entry in defaults:
        text = entry if isinstance(entry, str) else " ".join(map(str, entry))
        if "hydra" in text or "@" in text:
            raise RecipeError(f"{name}: 'defaults' may not reach into hydra or move a group elsewhere, got {text!r}")


def register(recipes: Path) -> None:
    """Put the folder on the search path of every Hydra started in this process from now on.

    A later project in the same process, as in tests, replaces the folder of an earlier one.
    """

    class RecipesOnSearchPath(SearchPathPlugin):
        def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
            if not any(element.provider == "recipes" for element in search_path.get_path()):
                search_path.append("recipes", f"recipes://{recipes}")

    unregister()
    plugins = Plugins.instance()
    plugins.register(RecipesSource)
    plugins.register(RecipesOnSearchPath)


def unregister() -> None:
    """Take the folder off again."""
    known = Plugins.instance().plugin_type_to_subclass_list[SearchPathPlugin]
    known[:] = [plugin for plugin in known if plugin.__name__ != "RecipesOnSearchPath"]
