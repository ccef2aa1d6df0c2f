"""A W&B backend on this machine: as much GraphQL, file streams and uploads as the real client needs to send a run.

It keeps what arrives, and can be slow, refuse, or die.
"""

import gzip
import json
import re
import threading
import time
from collections import defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.tracking.answers import Answers

KEY = "local-" + "0" * 40
OPERATION = re.compile(r"(?:query|mutation)\s+(\w+)")


class Backend(ThreadingHTTPServer):
    """Args:
    delay_s: before each answer.
    refuse: HTTP status that answers everything; None: nothing is refused.
    refuse_files: the same for uploads alone.
    dies_at: the operation at which it answers nobody any more.
    """

    daemon_threads = True

    def __init__(
        self,
        delay_s: float = 0.0,
        refuse: int | None = None,
        refuse_files: int | None = None,
        dies_at: str | None = None,
    ) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.delay_s, self.refuse, self.refuse_files, self.dies_at = delay_s, refuse, refuse_files, dies_at
        self.dead = False
        self.operations: list[tuple[str, dict[str, Any]]] = []
        self.stream: dict[str, list[str]] = defaultdict(list)
        self.ended: dict[str, Any] = {}
        self.files: dict[str, bytes] = {}
        self.versions: dict[str, list[dict[str, Any]]] = defaultdict(list)  # of artifacts, by collection
        self.aliases: dict[str, dict[str, str]] = defaultdict(dict)  # collection -> alias -> id of a version
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def told(self, operation: str) -> list[dict[str, Any]]:
        """The variables of each call of a GraphQL operation."""
        return [variables for name, variables in self.operations if name == operation]

    def pointed(self, collection: str) -> dict[str, str]:
        """Alias -> the release in the metadata of the version that it points at; W&B's own aliases left out."""
        metadata = {each["id"]: json.loads(each["metadata"]) for each in self.versions[collection]}
        aliases = self.aliases[collection]
        return {alias: metadata[id_]["release"] for alias, id_ in aliases.items() if alias != "latest"}

    def history(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream["wandb-history.jsonl"]]

    def summary(self) -> dict[str, Any]:
        return json.loads(self.stream["wandb-summary.json"][-1])

    def handle_error(self, *_: Any) -> None:
        """A client that hangs up is no error of a test."""

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    server: Backend
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_PUT(self) -> None:
        data = self._body()
        if not self.server.refuse_files:
            self.server.files[self.path.removeprefix("/upload/")] = data
        self._answer({}, self.server.refuse_files)

    def do_POST(self) -> None:
        body = json.loads(self._body())
        if self.path.endswith("/graphql"):
            name = OPERATION.search(body["query"]).group(1)
            with self.server.lock:
                self.server.operations.append((name, body.get("variables") or {}))
            if name == self.server.dies_at:
                self.server.dead = True
            self._answer(self._graphql(name, body.get("variables") or {}))
        else:
            with self.server.lock:
                for file, chunk in (body.get("files") or {}).items():
                    self.server.stream[file] += chunk["content"]
                if body.get("complete"):
                    self.server.ended = {key: body.get(key) for key in ("complete", "exitcode")}
            self._answer({"exitcode": None, "limits": {}})

    def _body(self) -> bytes:
        data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def _answer(self, content: dict[str, Any], status: int | None = None) -> None:
        time.sleep(self.server.delay_s)
        if self.server.dead:
            self.close_connection = True
            return
        data = json.dumps(content).encode()
        self.send_response(self.server.refuse or status or 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _graphql(self, name: str, variables: dict[str, Any]) -> dict[str, Any]:
        known = getattr(Answers(self.server), name, None)
        return {"data": known(variables) if known else {}}
