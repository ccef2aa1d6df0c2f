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
        known = getattr(self, f"_{name}", None)
        return {"data": known(variables)} if known else {"data": {}}

    def _Viewer(self, _: dict[str, Any]) -> dict[str, Any]:
        teams = {"edges": []}
        return {"viewer": {"id": "V", "entity": "team", "username": "someone", "flags": "{}", "teams": teams}}

    def _ServerFeaturesQuery(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _UpsertBucket(self, variables: dict[str, Any]) -> dict[str, Any]:
        project = {"id": "P", "name": variables["project"], "entity": {"id": "E", "name": "team"}}
        bucket = {
            "id": "B",
            "name": variables["name"],
            "displayName": variables.get("displayName"),
            "description": None,
            "config": variables.get("config"),
            "sweepName": None,
            "project": project,
            "historyLineCount": 0,
        }
        return {"upsertBucket": {"bucket": bucket, "inserted": True}}

    def _GetProjects(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"models": {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}}

    def _ProjectInternalId(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"id": "P", "internalId": f"internal-{variables['projectName']}"}}

    def _upsertView(self, variables: dict[str, Any]) -> dict[str, Any]:
        kept = {key: variables[key] for key in ("name", "displayName", "description", "type", "spec")}
        times = {"createdAt": "2026-01-01T00:00:00", "updatedAt": "2026-01-01T00:00:00"}
        project = {"id": "P", "name": variables["projectName"], "entityName": variables["entityName"]}
        user = {"username": "someone", "name": "someone", "photoUrl": None, "admin": False}
        return {"upsertView": {"view": {"id": "View:1", **kept, **times, "project": project, "user": user}}}

    def _ArtifactType(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"artifact": None}}

    def _RunResumeStatus(self, variables: dict[str, Any]) -> dict[str, Any]:
        names = {each["name"]: each for each in self.server.told("UpsertBucket")}
        if variables["name"] not in names:
            return {"model": {"bucket": None}}
        lines = {f"{kind}LineCount": 0 for kind in ("log", "history", "events")}
        tails = {f"{kind}Tail": "[]" for kind in ("history", "events")}
        shown = {"displayName": None, "notes": None, "tags": [], "summaryMetrics": "{}", "config": "{}"}
        bucket = {"id": "B", "name": variables["name"], **lines, **tails, **shown, "wandbConfig": '{"t": {}}'}
        return {"model": {"id": "P", "name": "p", "entity": {"id": "E", "name": "team"}, "bucket": bucket}}

    def _CreateRunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.server.url}/upload/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}

    def _CreateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """What has the same digest is kept once, and takes the aliases."""
        given = variables["input"]
        name = given["artifactCollectionName"]
        versions = self.server.versions[name]
        found = next((each for each in versions if each["digest"] == given["digest"]), None)
        if found is None:
            found = {"id": f"{name}:v{len(versions)}" if versions else name, "state": "PENDING", **given}
            versions.append(found)
        self.server.aliases[name] |= {each["alias"]: found["id"] for each in given["aliases"]}
        sequence = {"id": f"S-{name}", "latestArtifact": None}
        return {"createArtifact": {"artifact": {**_of(found, "id", "state"), "artifactSequence": sequence}}}

    def _ArtifactByID(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"artifact": self._artifact(variables["id"])}

    def _UpdateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"updateArtifact": {"artifact": self._artifact(variables["input"]["artifactID"])}}

    def _DeleteAliases(self, variables: dict[str, Any]) -> dict[str, Any]:
        for each in variables["input"]["aliases"]:
            del self.server.aliases[each["artifactCollectionName"]][each["alias"]]
        return {"deleteAliases": {"success": True}}

    def _artifact(self, id_: str) -> dict[str, Any]:
        name, _, number = id_.partition(":v")
        version = self.server.versions[name][int(number or 0)]
        owner = {"id": "P", "internalId": "I", "name": version["projectName"], "entity": {"name": "team"}}
        collection = {"__typename": "ArtifactSequence", "name": name, "project": owner}
        aliases = [
            {"__typename": "ArtifactAlias", "id": alias, "alias": alias, "artifactCollection": collection}
            for alias, at in self.server.aliases[name].items()
            if at == id_
        ]
        nothing = dict.fromkeys(("description", "historyStep", "commitHash", "updatedAt"))
        return {
            "__typename": "Artifact",
            **_of(version, "id", "state", "digest", "metadata"),
            **nothing,
            "artifactSequence": collection,
            "versionIndex": int(number or 0),
            "artifactType": {"name": version["artifactTypeName"]},
            "ttlDurationSeconds": -1,
            "ttlIsInherited": True,
            "tags": [],
            "size": 0,
            "digestAlgorithm": "MANIFEST_MD5",
            "fileCount": 0,
            "createdAt": "2026-01-01T00:00:00",
            "aliases": aliases,
        }

    def _CreateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        path = f"{variables['artifactID']}/wandb_manifest.json"
        file = {"id": "F", "name": path, "displayName": path, "uploadUrl": f"{self.server.url}/upload/{path}"}
        manifest = {"id": f"M-{variables['artifactID']}", "file": {**file, "uploadHeaders": []}}
        return {"createArtifactManifest": {"artifactManifest": manifest}}

    def _UpdateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        artifact = variables["artifactManifestID"].removeprefix("M-")
        path = f"{artifact}/wandb_manifest.json"
        file = {"id": "F", "name": path, "displayName": path, "uploadUrl": f"{self.server.url}/upload/{path}"}
        manifest = {"id": f"M-{artifact}", "file": {**file, "uploadHeaders": []}}
        return {"updateArtifactManifest": {"artifactManifest": manifest}}

    def _CreateArtifactFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [self._artifact_file(each) for each in variables["input"]["artifactFiles"]]
        return {"createArtifactFiles": {"files": {"edges": [{"node": file} for file in files]}}}

    def _artifact_file(self, spec: dict[str, Any]) -> dict[str, Any]:
        path = f"{spec['artifactID']}/{spec['name']}"
        return {
            "id": path,
            "name": spec["name"],
            "displayName": spec["name"],
            "storagePath": f"stored/{path}",
            "uploadUrl": f"{self.server.url}/upload/{path}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": spec["artifactID"]},
        }

    def _CommitArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        name, _, number = variables["artifactID"].partition(":v")
        self.server.versions[name][int(number or 0)]["state"] = "COMMITTED"
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": "d"}}}

    def _UseArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"useArtifact": {"artifact": {"id": variables["input"]["artifactID"]}}}


def _of(values: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: values[key] for key in keys}
