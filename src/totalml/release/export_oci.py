"""A release as a folder to make a container of, which answers over HTTP as `totalml serve` does.

Nothing is written at run time, so its root may be read-only; and whoever runs it must give a token, since it listens
for more than its own machine.
"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

from totalml.release.bundle import Bundle, copy_bundle
from totalml.release.export_packages import ours
from totalml.release.named import named

if TYPE_CHECKING:
    from pathlib import Path

CONTAINERFILE, IGNORED, DATA = "Containerfile", ".dockerignore", "release"
PORT = 8000
USER = 10001  # a number, so that a cluster can tell that it is not root
CONTAINER = """\
# {name}, release {release}
FROM python:{python}-slim

# Another index, such as a mirror: --build-arg PIP_INDEX_URL=...
ARG PIP_INDEX_URL
RUN python -m pip install --no-cache-dir "{ours}"

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
COPY --chown={user}:{user} {data} /{data}
LABEL org.opencontainers.image.title="{name}" org.opencontainers.image.version="{release}"
USER {user}:{user}
EXPOSE {port}
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \\
  CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:{port}/healthz', timeout=2)"]
# Needs a long secret in TOTALML_TOKEN.
CMD ["totalml", "serve", "--bundle", "/{data}", "--host", "0.0.0.0", "--port", "{port}"]
"""


def fill(folder: Path, bundle: Bundle) -> None:
    copy_bundle(bundle, folder / DATA)
    text = CONTAINER.format(
        name=named("model", bundle.name),  # of a manifest from elsewhere, it could hold further instructions
        release=bundle.hash,
        python=".".join(platform.python_version_tuple()[:2]),
        ours=ours(),
        user=USER,
        data=DATA,
        port=PORT,
    )
    (folder / CONTAINERFILE).write_text(text, encoding="utf-8")
    (folder / IGNORED).write_text(f"*\n!{DATA}\n", encoding="utf-8")


def told(folder: Path, bundle: Bundle) -> Iterator[str]:
    yield f"podman build --format docker -t {bundle.name} {folder}"
    yield f"podman run --read-only -p {PORT}:{PORT} -e TOTALML_TOKEN=... {bundle.name}"
