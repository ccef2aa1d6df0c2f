"""What the machine says of itself without any package; importing this is light."""

import os

DRIVER = "/proc/driver/nvidia/gpus"


def gpu_information() -> list[str]:
    """What the NVIDIA driver writes of each GPU, in its order; empty where there is no driver."""
    return [_text(f"{DRIVER}/{name}/information") for name in sorted(os.listdir(DRIVER))] if _has_driver() else []  # noqa: PTH208


def _has_driver() -> bool:
    return os.path.isdir(DRIVER)  # noqa: PTH112 - pathlib takes longer to import than this to run


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:  # noqa: PTH123
            return file.read()
    except OSError:
        return ""


def user() -> str:
    """Who is at the machine."""
    import getpass

    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container without a name for its user
        return "unknown"
