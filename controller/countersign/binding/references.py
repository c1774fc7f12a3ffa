"""Image references, read as the API server and the kubelet read them.

Source:
    github.com/distribution/reference v0.6.0, ``ParseNormalizedNamed``, through
    pkg/util/parsers.ParseImageName.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from countersign.binding.tree import Value

_MAX_REFERENCE = 4096  # characters; a longer one is no reference
_MAX_PATH = 255  # characters; RepositoryNameTotalLengthMax

_HOST_PART = r"(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)"
_HOST = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH_PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REFERENCE = re.compile(  # a host that is none, as ``a_b.example``, is part of the path
    rf"(?P<repository>(?:{_HOST}/)?(?P<path>{_PATH_PART}(?:/{_PATH_PART})*))"
    r"(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}))?"
)
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference that parses.

    Attributes:
        repository: Normalised: ``docker.io/library/nginx``.
        tag: As written, or ``""``: ``latest`` is not filled in.
        digest: ``algorithm:hex`` or ``""``.
    """

    repository: str
    tag: str
    digest: str


@lru_cache(maxsize=4096)  # the same few images, in every request of a rollout
def _parse(image: str) -> Reference | None:
    if _IDENTIFIER.fullmatch(image):
        return None
    host, rest = _split_host(image)
    parts = _REFERENCE.fullmatch(f"{host}/{rest}")
    if parts is None or len(parts["path"]) > _MAX_PATH:
        return None
    return Reference(parts["repository"], parts["tag"] or "", parts["digest"] or "")


def parse_reference(image: Value) -> Reference | None:
    """Return the parts of an image reference, or None for what is none."""
    if type(image) is not str or len(image) > _MAX_REFERENCE:
        return None
    return _parse(image)


def _split_host(image: str) -> tuple[str, str]:
    """Tell the registry from the rest, as ``splitDockerDomain`` does."""
    first, slash, rest = image.partition("/")
    is_host = first == "localhost" or "." in first or ":" in first
    if not slash or not (is_host or first.lower() != first):
        host, rest = "docker.io", image
    else:
        host = "docker.io" if first == "index.docker.io" else first
    if host == "docker.io" and "/" not in rest:
        rest = f"library/{rest}"
    return host, rest
