"""Admission that an API server loads from its own disk, and that no request can change.

For Kubernetes 1.36 (behind a feature gate) and newer. The webhook and the policies of
`backstops` are then no objects of the API: nobody sees, changes or deletes them there,
``system:masters`` neither. Such policies are also asked about the admission
configuration that is in the API.

Source:
    KEP-5793; ``pkg/admission/plugin/manifest`` in k8s.io/apiserver v0.37: names end in
    ``.static.k8s.io``, webhooks have a URL, policies no parameters, files end in
    ``.yaml``, directories are absolute.
"""

import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from countersign.binding.backstops import Guarded, backstops, exempt
from countersign.binding.registration import webhook_configuration
from countersign.core.errors import Misconfigured
from countersign.core.types.artifacts import GroupKind, Json, Tree

SUFFIX = ".static.k8s.io"
SINCE = "1.36"
GATE = "ManifestBasedAdmissionControlConfig"
"""Off by default in `SINCE`, on after it."""

ENTRANCE = "admission.yaml"
"""What ``--admission-control-config-file`` names."""

_CONFIG = "apiserver.config.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """What the files say.

    Attributes:
        folder: Where they lie for the API server; absolute.
        url: Of the webhook, as the API server reaches it; https. Empty: the API alone
            registers it, and that is guarded.
        ca_bundle: Who signed its certificate: PEM in base64.
        protected: Namespaces, by exact name or by globs; not empty where there is a URL.
        own_namespace: Where countersign runs.
        cluster_scoped: Kinds that are asked about besides Namespaces.
        timeout_s: Seconds the API server waits.
        users, groups: Who may still change what the policies guard.
    """

    folder: str
    own_namespace: str
    url: str = ""
    ca_bundle: str = ""
    protected: Collection[str] = ()
    cluster_scoped: Collection[GroupKind] = ()
    timeout_s: int = 10
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def static_files(told: Fixed) -> Mapping[str, tuple[Tree, ...]]:
    """Return the objects of each file, by its path under the folder.

    Raises:
        Misconfigured: the folder is not absolute, the URL is not https, or what
            `webhook_configuration` refuses.
    """
    if not posixpath.isabs(told.folder):
        raise Misconfigured(f"expected an absolute folder, saw {told.folder!r}")
    guarded = Guarded(
        exempt=exempt(told.users, told.groups),
        namespace=told.own_namespace,
        suffix=SUFFIX,
    )
    made = {
        ENTRANCE: (_entrance(told),),
        "policies/countersign.yaml": backstops(guarded),
    }
    return (
        {**made, "webhooks/countersign.yaml": (_webhook(told),)} if told.url else made
    )


def _webhook(told: Fixed) -> Tree:
    if not told.url.startswith("https://"):
        raise Misconfigured(f"expected a URL with https, saw {told.url[:80]!r}")
    return webhook_configuration(
        name=f"countersign{SUFFIX}",
        protected=told.protected,
        own_namespace=told.own_namespace,
        client_config={"url": told.url, "caBundle": told.ca_bundle},
        cluster_scoped=told.cluster_scoped,
        timeout_s=told.timeout_s,
    )


def _entrance(told: Fixed) -> Tree:
    webhooks = _plugin(
        "ValidatingAdmissionWebhook",
        "WebhookAdmissionConfiguration",
        {
            "kubeConfigFile": "",
            "staticManifestsDir": posixpath.join(told.folder, "webhooks"),
        },
    )
    policies = _plugin(
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyConfiguration",
        {"staticManifestsDir": posixpath.join(told.folder, "policies")},
    )
    plugins: list[Json] = [webhooks, policies] if told.url else [policies]
    return {"apiVersion": _CONFIG, "kind": "AdmissionConfiguration", "plugins": plugins}


def _plugin(name: str, kind: str, fields: Tree) -> Tree:
    return {
        "name": name,
        "configuration": {"apiVersion": _CONFIG, "kind": kind, **fields},
    }
