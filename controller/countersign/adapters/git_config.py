"""Who git says is at the keyboard."""

from pathlib import Path

import pygit2


def git_identity(folder: Path) -> tuple[str, str]:
    """Return ``user.name`` and ``user.email``; ``""`` for what is not configured.

    Args:
        folder: Of the repository whose configuration counts first; any other will do.
    """
    try:
        found = pygit2.discover_repository(str(folder))
        config = (
            pygit2.Repository(found).config
            if found
            else pygit2.Config.get_global_config()
        )
    except (OSError, pygit2.GitError):  # OSError: there is no configuration at all
        return "", ""
    return _value(config, "user.name"), _value(config, "user.email")


def _value(config: pygit2.Config, key: str) -> str:
    try:
        return str(config[key])
    except KeyError:
        return ""
