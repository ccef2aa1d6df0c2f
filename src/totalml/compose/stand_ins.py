"""Files of conf/hydra stand in for what a plugin stores under the same name; Hydra would merge both and warn."""

from pathlib import Path

from hydra.core.config_store import ConfigStore
from hydra.core.plugins import Plugins


def stand_in(conf: Path) -> None:
    """From now on `hydra/launcher=joblib` is conf/hydra/launcher/joblib.yaml alone, and so for every file there."""
    Plugins.instance()  # storing happens while plugins are imported
    stored = ConfigStore.instance().repo.get("hydra", {})
    for file in conf.glob("hydra/*/*.yaml"):
        stored.get(file.parent.name, {}).pop(file.name, None)
