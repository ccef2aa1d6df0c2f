from tests.projects import project, totalml

__all__ = ["project", "totalml"]  # fixtures
