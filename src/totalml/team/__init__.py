"""Who does what: the file `team.yaml` of a project, what it allows, and who owns which files on GitHub."""

from totalml.team.permission import require_deployer, require_member, require_promoter
from totalml.team.read import TEAM_FILE, read_team
from totalml.team.team import Team, TeamFile

__all__ = ["TEAM_FILE", "Team", "TeamFile", "read_team", "require_deployer", "require_member", "require_promoter"]
