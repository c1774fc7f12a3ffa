"""The Secrets with certificates that the operator renews.

They belong to the operator alone: whoever installs made the authorities, and a first
certificate of each, under other names. So no upgrade and no rollback brings back a
certificate that has ended, and none is in the way of another's field manager.
"""

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta

from countersign.adapters.cluster.source import NotThere, segment
from countersign.adapters.cluster.written import Applier
from countersign.adapters.issuing import Issuer, Wanted, issue, read_issuer, usable
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Json, Tree
from countersign.wire.resources.status import MANAGER


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate that is renewed.

    Attributes:
        secret: Where it lies.
        authority: Secret of who signs it.
        name: In it; ``{namespace}`` is ours.
        server: A listener shows it.
    """

    secret: str
    authority: str
    name: str
    server: bool = True


WEBHOOK = "countersign-webhook-authority"
INTERNAL = "countersign-internal-authority"
LEAVES = (
    Leaf("countersign-tls-renewed", WEBHOOK, "countersign.{namespace}.svc"),
    Leaf("countersign-spool-renewed", INTERNAL, "countersign-serve"),
    Leaf(
        "countersign-recorder-renewed", INTERNAL, "countersign-recorder.{namespace}.svc"
    ),
    Leaf("countersign-client-renewed", INTERNAL, "countersign-recorder", server=False),
)


class Renewer:
    """Keeps certificates younger than two thirds of their life.

    Args:
        server: The API server.
        own_namespace: Where the Secrets are.
        authorities: Names of the Secrets of those that are ours to use.
        lasts: How long a certificate lasts.
    """

    def __init__(
        self,
        server: Applier,
        own_namespace: str,
        authorities: tuple[str, ...],
        lasts: timedelta,
    ) -> None:
        self._server = server
        self._own = own_namespace
        self._base = f"/api/v1/namespaces/{segment(own_namespace)}/secrets"
        self._leaves = tuple(leaf for leaf in LEAVES if leaf.authority in authorities)
        self._lasts = lasts

    async def renew(self, at: datetime) -> dict[str, tuple[datetime, bool]]:
        """Renew what is due; return when each ends, and whether it is new, by Secret.

        Raises:
            Malformed: an authority cannot be used.
            Rejected: a Secret could not be written.
            Unavailable: the API server did not answer.
        """
        found = {}
        for leaf in self._leaves:
            try:
                authority = await self._server.get(f"{self._base}/{leaf.authority}")
            except NotThere:
                continue  # of an installation that never kept its key
            found[leaf.secret] = await self._one(leaf, authority, at)
        return found

    async def _one(
        self, leaf: Leaf, authority: Tree, at: datetime
    ) -> tuple[datetime, bool]:
        issuer = _issuer(authority, leaf)
        wanted = Wanted(
            name=leaf.name.format(namespace=self._own),
            server=leaf.server,
            lasts=self._lasts,
        )
        try:
            live = _data(await self._server.get(f"{self._base}/{leaf.secret}"))
        except NotThere:
            live = {}
        pair = live.get("tls.crt", b""), live.get("tls.key", b"")
        if (end := usable(issuer, wanted, *pair, at)) is not None:
            return end, False
        certificate, key = issue(issuer, wanted, at)
        tree = self._secret(leaf, authority, certificate, key)
        await self._server.apply(f"{self._base}/{leaf.secret}", tree, manager=MANAGER)
        return min(at + self._lasts, issuer.certificate.not_valid_after_utc), True

    def _secret(
        self, leaf: Leaf, authority: Tree, certificate: bytes, key: bytes
    ) -> Tree:
        about = authority.get("metadata")
        uid = str(about.get("uid")) if isinstance(about, dict) else ""
        owner: Tree = {
            "apiVersion": "v1",
            "kind": "Secret",
            "name": leaf.authority,
            "uid": uid,
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": leaf.secret,
                "namespace": self._own,
                "labels": {"app.kubernetes.io/managed-by": "countersign"},
                # it goes with the authority, at the end of the release
                "ownerReferences": [owner],
            },
            "type": "kubernetes.io/tls",
            "data": {
                "tls.crt": base64.b64encode(certificate).decode(),
                "tls.key": base64.b64encode(key).decode(),
            },
        }


def _issuer(secret: Tree, leaf: Leaf) -> Issuer:
    data = _data(secret)
    try:
        return read_issuer(data.get("tls.crt", b""), data.get("tls.key", b""))
    except Malformed as error:
        raise Malformed(f"Secret {leaf.authority}: {error}") from error


def _data(secret: Tree) -> dict[str, bytes]:
    data: Json = secret.get("data")
    found: dict[str, bytes] = {}
    for name, text in (data if isinstance(data, dict) else {}).items():
        try:
            found[name] = base64.b64decode(str(text), validate=True)
        except ValueError:
            continue
    return found
