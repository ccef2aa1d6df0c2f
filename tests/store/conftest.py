import threading
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from blake3 import blake3

from totalml.store import Store

SECRET = "a-secret-that-nobody-records"


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


@pytest.fixture(scope="module")
def endpoint():
    moto_server = pytest.importorskip("moto.server")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication
    from moto.s3.responses import S3Response

    answer, lock = S3Response.key_response, threading.Lock()

    def one_at_a_time(*given):
        with lock:  # its threads would else let two writers make the same new object
            return answer(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(S3Response, "key_response", one_at_a_time)
        # Else each request looks through the folders of all services for the one that it means.
        patched.setattr(DomainDispatcherApplication, "get_backend_for_host", lambda *_: "s3")
        server = moto_server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def bucket(endpoint, monkeypatch, request) -> str:
    """The URL of an empty bucket on a server of this machine; as for users, the rest stands in the environment."""
    pytest.importorskip("s3fs")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    name = f"bucket-{abs(hash(request.node.name))}"
    with urlopen(Request(f"{endpoint}/{name}", method="PUT")):  # a client for it alone takes longer
        pass
    return f"s3://{name}"
