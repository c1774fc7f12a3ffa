"""How registries name things: repositories, tags, and what lies beside an image.

Source:
    github.com/opencontainers/distribution-spec v1.1, "Pulling manifests".
"""

import re

from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Digest

MAX_NAME = 255  # characters of host and name; distribution-spec, "Pulling manifests"

_NAME = re.compile(
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_HOST = re.compile(
    r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[A-Fa-f0-9:.]+\])(?::[0-9]{1,5})?"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def split_repository(repository: str) -> tuple[str, str]:
    """Return host and name: ``docker.io``, ``library/nginx``.

    Raises:
        Malformed: it is no normalised repository.
    """
    host, _, name = repository.partition("/")
    sound = _HOST.fullmatch(host) and _NAME.fullmatch(name)
    if not sound or len(repository) > MAX_NAME:
        raise Malformed(f"expected a repository HOST/NAME, saw {repository[:80]!r}")
    return host, name


def is_tag(text: str) -> bool:
    """Tell whether a text is a tag (distribution-spec, "Pulling manifests")."""
    return _TAG.fullmatch(text) is not None


def tag_of(digest: Digest, suffix: str = "") -> str:
    """Return the tag beside an image: the referrers' (spec), or cosign's with a suffix.

    Source:
        distribution-spec v1.1, "Referrers Tag Schema"; cosign pkg/oci/remote, normalize.
    """
    return f"{digest.algorithm}-{digest.value}{suffix}"
