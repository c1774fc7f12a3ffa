"""What the schema knows and this version cannot honour: it is refused, never ignored.

A restriction that would not be enforced, or an exception that would not be granted,
makes the object invalid, with its path. A later version deletes lines here.
"""

from collections.abc import Callable

from countersign.wire.resources.policy import PolicySpec
from countersign.wire.resources.trust import TrustRootSpec

_POLICY: tuple[tuple[str, Callable[[PolicySpec], object]], ...] = (
    ("protect.excusedApiGroups", lambda s: s.protect.excused_api_groups),
    (
        "exceptions.deletion.exceptGroups",
        lambda s: s.exceptions.deletion.except_groups,
    ),
    (
        "exceptions.interactive.allowGroups",
        lambda s: s.exceptions.interactive.allow_groups,
    ),
)
_TRUST: tuple[tuple[str, Callable[[TrustRootSpec], object]], ...] = (
    ("keys[].ssh", lambda s: any(key.type == "ssh" for key in s.keys)),
    ("keys[].webauthn", lambda s: any(key.type == "webauthn" for key in s.keys)),
)


def not_yet(spec: object) -> tuple[str, ...]:
    """Return a problem for each field of `spec` that this version cannot honour."""
    if isinstance(spec, PolicySpec):
        paths = [path for path, given in _POLICY if given(spec)]
    elif isinstance(spec, TrustRootSpec):
        paths = [path for path, given in _TRUST if given(spec)]
    else:
        paths = []
    return tuple(
        f"spec.{path}: this version cannot honour it; take it out" for path in paths
    )
