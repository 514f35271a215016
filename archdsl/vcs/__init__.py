"""Git integration: textconv, merge driver, texts at a revision."""

from archdsl.vcs.git import GitMissing, GitRefused, NoRepository, git, top
from archdsl.vcs.revision import Revision

__all__ = ["GitMissing", "GitRefused", "NoRepository", "Revision", "git", "top"]
