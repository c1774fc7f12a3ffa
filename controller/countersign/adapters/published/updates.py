"""A trusted root as a TUF repository publishes it, verified by python-tuf.

Nothing is kept between two looks. What protects from older metadata is in the trust root
itself, and signed by its admins: the root to begin with, and the versions of the others.

Source:
    The Update Framework 1.0.34, section 5; a Sigstore's repository is laid out as
    ``cosign initialize --mirror`` reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import orjson
from tuf.api.exceptions import (
    DownloadError,
    DownloadLengthMismatchError,
    ExpiredMetadataError,
    RepositoryError,
)
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.updater import Updater

from countersign.adapters.published.fetching import MAX_FILE, Fetcher, Reach
from countersign.core.errors import Rejected, Unavailable
from countersign.core.types.published import Mirror, Published
from countersign.wire.times import parse_instant

MAX_ROTATIONS = 64  # of the root in one look; the public one was at 14 after five years
_MAX_TIMESTAMP = 16384  # bytes
_MAX_ROOT = 65536  # bytes, as many as a TrustRoot may hold
_MAX_DELEGATIONS = 8  # looked into for the target
_ROOT = "root"
_ROLES = ("timestamp", "snapshot", "targets")


class Ended(Rejected):
    """The metadata were believed, and their time has passed."""


def published(mirror: Mirror, reach: Reach) -> Published:
    """Fetch and verify what a mirror publishes; it blocks, for `reach.look_s` at most.

    Raises:
        Unavailable: it could not be fetched.
        Ended: the metadata have expired.
        Rejected: they do not verify, are older than known, too large or too many, or
            name no such target.
        Misconfigured: the authorities in `reach` cannot be read.
    """
    fetcher = Fetcher(mirror.url, reach)
    base = mirror.url.rstrip("/")
    with TemporaryDirectory(prefix="countersign-tuf-") as folder:
        try:
            updater = Updater(
                metadata_dir=folder,
                metadata_base_url=base,
                target_base_url=f"{base}/targets",
                fetcher=fetcher,
                config=_CONFIG,
                bootstrap=mirror.root,
            )
            updater.refresh()
            found = _found(Path(folder), mirror)
            target = _target(updater, mirror.target, Path(folder))
        except DownloadLengthMismatchError as error:
            raise Rejected(f"it sends too much: {error}") from error
        except DownloadError as error:
            raise Unavailable(str(error)) from error
        except ExpiredMetadataError as error:
            raise Ended(f"its metadata have expired: {error}") from error
        except (RepositoryError, ValueError) as error:
            raise Rejected(f"its metadata do not verify: {error}") from error
    return Published(
        trusted_root=target,
        root=found[_ROOT].raw,
        root_version=found[_ROOT].version,
        versions={role: found[role].version for role in _ROLES},
        ends=min(one.ends for one in found.values()),
    )


_CONFIG = UpdaterConfig(
    max_root_rotations=MAX_ROTATIONS + 1,  # one more shows that they have no end
    max_delegations=_MAX_DELEGATIONS,
    root_max_length=_MAX_ROOT,
    timestamp_max_length=_MAX_TIMESTAMP,
    snapshot_max_length=MAX_FILE,
    targets_max_length=MAX_FILE,
)


@dataclass(frozen=True, slots=True)
class _Metadata:
    """What is asked of metadata that are verified already."""

    raw: bytes
    version: int
    ends: datetime

    @classmethod
    def read(cls, raw: bytes) -> Self:
        signed = orjson.loads(raw)["signed"]
        return cls(raw, int(signed["version"]), parse_instant(signed["expires"]))


def _found(folder: Path, mirror: Mirror) -> Mapping[str, _Metadata]:
    """Return the verified metadata, by role.

    Raises:
        Rejected: there are too many roots, or something is older than known.
    """
    found = {
        role: _Metadata.read((folder / f"{role}.json").read_bytes())
        for role in (_ROOT, *_ROLES)
    }
    began = _Metadata.read(mirror.root).version
    if found[_ROOT].version > began + MAX_ROTATIONS:
        raise Rejected(f"more than {MAX_ROTATIONS} new roots after version {began}")
    for role, known in mirror.versions.items():
        if role in found and (seen := found[role].version) < known:
            raise Rejected(
                f"expected {role} of version {known} or later, saw {seen}: it is older "
                "than what was taken over"
            )
    return found


def _target(updater: Updater, name: str, folder: Path) -> bytes:
    info = updater.get_targetinfo(name)
    if info is None:
        raise Rejected(f"it publishes no {name}")
    if info.length > MAX_FILE:
        raise DownloadLengthMismatchError(f"{name} of {info.length} bytes")
    to = folder / "target"
    updater.download_target(info, filepath=str(to))
    return to.read_bytes()
