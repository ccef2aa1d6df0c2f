from pathlib import Path

import pytest
from blake3 import blake3

from totalml.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


@pytest.fixture
def put():
    """Store blobs and return their digests."""

    def put(store: Store, *blobs: bytes) -> list[str]:
        with store.writing() as writer:
            for blob in blobs:
                if writer.find(blake3(blob).digest()) is None:
                    writer.add(blake3(blob).digest(), blob)
        return ["blake3:" + blake3(blob).hexdigest() for blob in blobs]

    return put
