"""What a recipe can name of torchvision: its classification networks, read from its source text, and files of weights.

Importing torchvision to check a name would take more than three seconds of a validation that takes one tenth.
"""

import importlib.util
import re
from functools import cache
from pathlib import Path

WEIGHTS_FILES = (".safetensors", ".pth", ".pt")

_BUILDER = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)


@cache
def torchvision_names() -> tuple[str, ...]:
    """Sorted; empty if torchvision is not installed."""
    spec = importlib.util.find_spec("torchvision")  # a top-level name: finding it runs none of its code
    if spec is None or not spec.submodule_search_locations:
        return ()
    files = Path(spec.submodule_search_locations[0], "models").glob("*.py")
    return tuple(sorted(name for file in files for name in _BUILDER.findall(file.read_text(encoding="utf-8"))))
