"""What W&B answers to each operation of GraphQL that the real client asks for: of runs, and of artifacts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.tracking.backend import Backend


class Answers:
    """A method for each operation, by its name."""

    def __init__(self, backend: "Backend") -> None:
        self.backend = backend

    def Viewer(self, _: dict[str, Any]) -> dict[str, Any]:
        teams = {"edges": []}
        return {"viewer": {"id": "V", "entity": "team", "username": "someone", "flags": "{}", "teams": teams}}

    def ServerFeaturesQuery(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def UpsertBucket(self, variables: dict[str, Any]) -> dict[str, Any]:
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

    def GetProjects(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"models": {"edges": [], "pageInfo": {"endCursor": None, "hasNextPage": False}}}

    def ProjectInternalId(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"id": "P", "internalId": f"internal-{variables['projectName']}"}}

    def upsertView(self, variables: dict[str, Any]) -> dict[str, Any]:
        kept = {key: variables[key] for key in ("name", "displayName", "description", "type", "spec")}
        times = {"createdAt": "2026-01-01T00:00:00", "updatedAt": "2026-01-01T00:00:00"}
        project = {"id": "P", "name": variables["projectName"], "entityName": variables["entityName"]}
        user = {"username": "someone", "name": "someone", "photoUrl": None, "admin": False}
        return {"upsertView": {"view": {"id": "View:1", **kept, **times, "project": project, "user": user}}}

    def RunResumeStatus(self, variables: dict[str, Any]) -> dict[str, Any]:
        names = {each["name"]: each for each in self.backend.told("UpsertBucket")}
        if variables["name"] not in names:
            return {"model": {"bucket": None}}
        lines = {f"{kind}LineCount": 0 for kind in ("log", "history", "events")}
        tails = {f"{kind}Tail": "[]" for kind in ("history", "events")}
        shown = {"displayName": None, "notes": None, "tags": [], "summaryMetrics": "{}", "config": "{}"}
        bucket = {"id": "B", "name": variables["name"], **lines, **tails, **shown, "wandbConfig": '{"t": {}}'}
        return {"model": {"id": "P", "name": "p", "entity": {"id": "E", "name": "team"}, "bucket": bucket}}

    def NotifyScriptableRunAlert(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"notifyScriptableRunAlert": {"success": True}}

    def CreateRunFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.backend.url}/upload/{name}"} for name in variables["files"]]
        return {"createRunFiles": {"runID": "B", "uploadHeaders": [], "files": files}}

    def ArtifactType(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"artifact": None}}

    def CreateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        """What has the same digest is kept once, and takes the aliases."""
        given = variables["input"]
        name = given["artifactCollectionName"]
        versions = self.backend.versions[name]
        found = next((each for each in versions if each["digest"] == given["digest"]), None)
        if found is None:
            found = {"id": f"{name}:v{len(versions)}" if versions else name, "state": "PENDING", **given}
            versions.append(found)
        self.backend.aliases[name] |= {each["alias"]: found["id"] for each in given["aliases"]}
        sequence = {"id": f"S-{name}", "latestArtifact": None}
        return {"createArtifact": {"artifact": {**_of(found, "id", "state"), "artifactSequence": sequence}}}

    def ArtifactByID(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"artifact": self._artifact(variables["id"])}

    def UpdateArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"updateArtifact": {"artifact": self._artifact(variables["input"]["artifactID"])}}

    def DeleteAliases(self, variables: dict[str, Any]) -> dict[str, Any]:
        for each in variables["input"]["aliases"]:
            del self.backend.aliases[each["artifactCollectionName"]][each["alias"]]
        return {"deleteAliases": {"success": True}}

    def _artifact(self, id_: str) -> dict[str, Any]:
        name, _, number = id_.partition(":v")
        version = self.backend.versions[name][int(number or 0)]
        owner = {"id": "P", "internalId": "I", "name": version["projectName"], "entity": {"name": "team"}}
        collection = {"__typename": "ArtifactSequence", "name": name, "project": owner}
        aliases = [
            {"__typename": "ArtifactAlias", "id": alias, "alias": alias, "artifactCollection": collection}
            for alias, at in self.backend.aliases[name].items()
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

    def CreateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"createArtifactManifest": {"artifactManifest": self._manifest(variables["artifactID"])}}

    def UpdateArtifactManifest(self, variables: dict[str, Any]) -> dict[str, Any]:
        artifact = variables["artifactManifestID"].removeprefix("M-")
        return {"updateArtifactManifest": {"artifactManifest": self._manifest(artifact)}}

    def _manifest(self, artifact: str) -> dict[str, Any]:
        path = f"{artifact}/wandb_manifest.json"
        file = {"id": "F", "name": path, "displayName": path, "uploadUrl": f"{self.backend.url}/upload/{path}"}
        return {"id": f"M-{artifact}", "file": {**file, "uploadHeaders": []}}

    def CreateArtifactFiles(self, variables: dict[str, Any]) -> dict[str, Any]:
        files = [self._artifact_file(each) for each in variables["input"]["artifactFiles"]]
        return {"createArtifactFiles": {"files": {"edges": [{"node": file} for file in files]}}}

    def _artifact_file(self, spec: dict[str, Any]) -> dict[str, Any]:
        path = f"{spec['artifactID']}/{spec['name']}"
        return {
            "id": path,
            "name": spec["name"],
            "displayName": spec["name"],
            "storagePath": f"stored/{path}",
            "uploadUrl": f"{self.backend.url}/upload/{path}",
            "uploadHeaders": [],
            "uploadMultipartUrls": None,
            "artifact": {"id": spec["artifactID"]},
        }

    def CommitArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        name, _, number = variables["artifactID"].partition(":v")
        self.backend.versions[name][int(number or 0)]["state"] = "COMMITTED"
        return {"commitArtifact": {"artifact": {"id": variables["artifactID"], "digest": "d"}}}

    def UseArtifact(self, variables: dict[str, Any]) -> dict[str, Any]:
        return {"useArtifact": {"artifact": {"id": variables["input"]["artifactID"]}}}


def _of(values: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: values[key] for key in keys}
