"""Turn what Hydra, OmegaConf, YAML and pydantic say into lines of the form `file:line: what, and the mend`."""

import re
import shlex
from collections.abc import Collection, Sequence
from itertools import takewhile
from pathlib import Path

import yaml
from hydra.core.default_element import ResultDefault
from hydra.errors import MissingConfigException, OverrideParseException

from totalml.compose.config_sources import GROUP
from totalml.compose.merge import merged_files
from totalml.compose.origins import COMMAND_LINE, LOADER, Origins, Place, default_line, parents, read_layer
from totalml.errors import RecipeError
from totalml.target import did_you_mean
from totalml.validate import InvalidRecipe


def config_file(project: Path, config_path: str) -> Path:
    """The file behind Hydra's name for a config, such as `model/mlp` or `recipe/guinness`."""
    group, _, name = config_path.removesuffix(".yaml").partition("/")
    return project / "recipes" / f"{name}.yaml" if group == GROUP else project / "conf" / f"{config_path}.yaml"


def read_origins(
    project: Path, overrides: list[str], swept: Collection[str] = (), files: Sequence[ResultDefault] | None = None
) -> Origins:
    """Read again, with their lines, the files that Hydra merges for `overrides`.

    Args:
        swept: keys of overrides that the recipe's own sweep gives.
        files: as in `Merged`.
    """
    layers = []
    for entry in merged_files(project, overrides) if files is None else files:
        file = config_file(project, entry.config_path) if entry.config_path else None
        if file is not None and file.is_file():
            layers.append(read_layer(file.relative_to(project).as_posix(), file, entry.package or ""))
    keys = [text.lstrip("+~").partition("=")[0] for text in overrides]
    return Origins(layers, [tuple(key.split(".")) for key in keys], swept)


def invalid(error: InvalidRecipe, origins: Origins) -> RecipeError:
    placed = sorted((origins.of(mistake.path), mistake.message) for mistake in error.mistakes)
    return RecipeError(*(f"{place}: {message}" for place, message in placed))


def missing_option(
    error: MissingConfigException, project: Path, overrides: Sequence[str], swept: Collection[str]
) -> RecipeError:
    """A defaults entry, the command line or the recipe's own sweep names an option that is not there."""
    wanted = str(error.missing_cfg_file or "").removesuffix(".yaml")
    group, _, option = wanted.rpartition("/")
    options = sorted(error.options or ())
    asked = next((override for override in overrides if override.lstrip("+").replace("=", "/", 1) == wanted), None)
    if asked is None:
        place = _place_of_default(project, overrides, option)
    elif (key := asked.partition("=")[0]) in swept:
        place = read_origins(project, [override for override in overrides if override != asked], swept).swept_at(key)
    else:
        place = COMMAND_LINE
    noun = GROUP if group == GROUP else f"option of group {group!r}" if group else "config"
    listed = f"; there are: {', '.join(options)}" if options else ""
    return RecipeError(f"{place}: there is no {noun} {option!r}{did_you_mean(option, options)}{listed}")


def circle(project: Path, overrides: Sequence[str]) -> RecipeError:
    """A recipe inherits itself; the line that closes the circle, or the command line if that is not found."""
    waiting: list[tuple[str, ...]] = [(name,) for name in _chosen(overrides)]
    place = COMMAND_LINE
    while waiting:
        *above, name = line_of_descent = waiting.pop()
        file = config_file(project, f"{GROUP}/{name}")
        layer = read_layer(file.relative_to(project).as_posix(), file, "") if file.is_file() else None
        if layer and (closing := {*parents(layer.root)} & {*above, name}):
            place = Place(layer.name, default_line(layer.root, closing.pop()))
            break
        waiting += [(*line_of_descent, parent) for parent in parents(layer.root)] if layer else []
    return RecipeError(f"{place}: a recipe inherits itself, directly or through others; look at 'defaults'")


def broken_yaml(project: Path) -> RecipeError | None:
    """Every file in conf/ and recipes/ that is not YAML; None if all are."""
    files = [*sorted((project / "recipes").glob("*.yaml")), *sorted((project / "conf").rglob("*.yaml"))]
    found = [line for file in files if (line := _syntax_error(file, file.relative_to(project).as_posix()))]
    return RecipeError(*found) if found else None


def composition(error: Exception, project: Path, overrides: Sequence[str], swept: Collection[str] = ()) -> RecipeError:
    """Whatever else Hydra or OmegaConf refuses, in their words, on one line."""
    if isinstance(error, MissingConfigException):
        return missing_option(error, project, overrides, swept)
    if isinstance(error, OverrideParseException) and config_file(project, f"{GROUP}/{error.override}").is_file():
        word = error.override
        return RecipeError(f"{COMMAND_LINE}: expected key=value, got {word!r}, did you mean '+{GROUP}={word}'?")
    if isinstance(error, OverrideParseException) and (whole := _cut_at_spaces(error.override, overrides)):
        told = f"expected key=value, got {error.override!r}; quote a value with a space: {whole}"
        return RecipeError(f"{COMMAND_LINE}: {told}")
    if isinstance(error, OverrideParseException):
        word = (error.override or "").removeprefix("++")
        if whole := _compared(word):
            return RecipeError(f"{COMMAND_LINE}: cannot read {word!r}; quote the value as a whole: {whole}")
        return RecipeError(f"{COMMAND_LINE}: cannot read {word!r}: {_one_line(error)}")
    return broken_yaml(project) or RecipeError(f"{COMMAND_LINE}: {_one_line(error)}")


def _compared(word: str) -> str | None:
    """A value that compares, such as that of `data.where`, as a shell and Hydra want it; None: it does not."""
    key, _, value = word.partition("=")
    escaped = value.replace('"', '\\"')
    return shlex.quote(f'{key}="{escaped}"') if re.search("[=<>]", value) else None


def _cut_at_spaces(word: str, overrides: Sequence[str]) -> str | None:
    """`'key="two words"'`, as a shell wants what it has cut; None unless a value stands before `word`."""
    place = overrides.index(word) if word in overrides and "=" not in word else 0
    if not place or "=" not in overrides[place - 1]:
        return None
    key, _, start = overrides[place - 1].removeprefix("++").partition("=")
    rest = takewhile(lambda each: "=" not in each, overrides[place:])
    return shlex.quote(f'{key}="{" ".join([start, *rest])}"')


def _one_line(error: Exception) -> str:
    lines = (line.strip() for line in str(error).splitlines())
    return "; ".join(line for line in lines if line)


def _place_of_default(project: Path, overrides: Sequence[str], option: str) -> Place:
    """The line that asks for `option`: in a recipe that the command line names, in one that it inherits, in conf/."""
    waiting = [*_chosen(overrides), "config"]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop(0)
        file = config_file(project, name if name == "config" else f"{GROUP}/{name}")
        if name in seen or not file.is_file():
            continue
        seen.add(name)
        layer = read_layer(file.relative_to(project).as_posix(), file, "")
        if line := default_line(layer.root, option):
            return Place(layer.name, line)
        waiting += parents(layer.root)
    return COMMAND_LINE


def _chosen(overrides: Sequence[str]) -> list[str]:
    chosen = [text.partition("=")[2] for text in overrides if text.lstrip("+").startswith(f"{GROUP}=")]
    return ",".join(chosen).split(",")


def _syntax_error(file: Path, name: str) -> str | None:
    try:
        yaml.compose(file.read_text(encoding="utf-8"), Loader=LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        return f"{name}:{line}: not valid YAML: {' '.join(filter(None, (error.context, error.problem)))}"
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        return f"{name}:1: not valid YAML: {error}"
    return None
