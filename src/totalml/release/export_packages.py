"""What is to be installed where an export is taken to."""

from totalml import __version__

SERVE = "serve"  # the extra


def ours() -> str:
    """From this version up to the next that may read releases otherwise: of 0.x, the next x."""
    major, minor = (int(part) for part in __version__.split(".")[:2])
    return f"totalml[{SERVE}]>={__version__},<{major + 1 if major else f'0.{minor + 1}'}"
