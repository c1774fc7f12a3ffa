"""What the chart can be told: the one source of its values, their schema and their page.

Descriptions are for who installs. A default must be one with which it runs anywhere.
"""

# ruff: noqa: N815, FBT003 - fields are called as in a file of values

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1)]
Tree = dict[str, Any]
Cidr = Annotated[str, StringConstraints(pattern=r"^[0-9a-fA-F.:]+/[0-9]{1,3}$")]
Namespace = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9*]([-a-z0-9*]{0,61}[a-z0-9*])?$")
]
NOT_SYSTEM = {"not": {"const": "kube-system"}}
EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")
Somebody = Annotated[
    Text, Field(json_schema_extra={"not": {"enum": [*EVERYBODY, "system:anonymous"]}})
]
# the last of two variables of one name counts, and nobody would see that
TOLD = "CLUSTER_NAME|PROTECTED_NAMESPACES|OWN_NAMESPACE|GOVERNANCE_.*|BEGINNING_.*"
NOT_TOLD = {
    "not": {
        "required": ["name"],
        "properties": {"name": {"pattern": f"^COUNTERSIGN_({TOLD})$"}},
    }
}


class Values(BaseModel):
    """Values of one theme. One that does not exist is refused."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


def _resources(cpu: str, memory: str, limit: str) -> Tree:
    """Say what a container gets: from docs/sizing.md, and a test holds them together.

    No limit of CPU: a throttled webhook is a late one, and late is denied.
    """
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}


class Image(Values):
    """Which image."""

    repository: Text = Field("countersign", description="Where the image is.")
    tag: str = Field("", description="Empty: the chart's appVersion.")
    digest: Annotated[str, StringConstraints(pattern=r"^(sha256:[0-9a-f]{64})?$")] = (
        Field("", description="sha256:...; it wins over the tag. Use it.")
    )
    pullPolicy: Literal["Always", "IfNotPresent", "Never"] = Field(
        "IfNotPresent", description="As Kubernetes knows it."
    )
    pullSecrets: list[Text] = Field(
        [],
        description="Names of Secrets of type kubernetes.io/dockerconfigjson beside the "
        "release.",
    )


class Issuer(Values):
    """Who issues."""

    name: str = Field("", description="Empty: cert-manager is not asked.")
    kind: Literal["Issuer", "ClusterIssuer"] = Field("Issuer", description="Its kind.")
    group: Text = Field("cert-manager.io", description="Its API group.")
    user: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9:._@-]+$")] = Field(
        "system:serviceaccount:cert-manager:cert-manager",
        description="As whom cert-manager writes: it passes the backstops over Secrets.",
    )
    duration: Text = Field("2160h", description="How long a certificate lasts.")
    renewBefore: Text = Field("720h", description="How long before its end it is new.")


class Tls(Values):
    """Certificates."""

    secretName: str = Field(
        "",
        description="A Secret of type kubernetes.io/tls for countersign.NAMESPACE.svc. "
        "Empty: the chart makes it, for ten years, and keeps it at upgrades.",
    )
    caBundle: str = Field(
        "",
        description="The certificate authority that signed it, in PEM. Registered with "
        "the API server, and by nothing else: so it should outlive its certificates.",
    )
    certManager: Issuer = Field(
        Issuer(),
        description="Have cert-manager make and renew the Secret. Its issuer's authority "
        "has to be in caBundle: nothing writes the registration while it runs.",
    )
    internalSecretName: str = Field(
        "",
        description="A Secret with what the two processes show each other, and the "
        "recorder to people: ca.crt, and .crt and .key of spool (countersign-serve), "
        "recorder (countersign-recorder.NAMESPACE.svc) and client (common name "
        "countersign-recorder). Empty: the chart makes it, as above.",
    )
    internalCaBundle: str = Field("", description="The ca.crt of that Secret, in PEM.")


class Registries(Values):
    """Registries."""

    secretName: str = Field(
        "",
        description="Name of a Secret of type kubernetes.io/dockerconfigjson beside the "
        "release, whose credentials may read there. Empty: asked without any.",
    )
    caConfigMap: str = Field(
        "",
        description="Name of a ConfigMap beside the release with certificate authorities "
        "of registries, in PEM, under the key ca.crt. Empty: the system's only.",
    )
    tokenHosts: list[
        Annotated[str, StringConstraints(pattern=r"^[^=,\s/]+=[^=,\s/]+$")]
    ] = Field(
        [],
        description="REGISTRY=HOST: hosts besides its own that issue tokens of a "
        "registry.",
    )


class Mirrors(Values):
    """Where trust roots are published."""

    caConfigMap: str = Field(
        "",
        description="Name of a ConfigMap beside the release with certificate authorities "
        "of mirrors, in PEM, under the key ca.crt. Empty: the system's only.",
    )


class Storage(Values):
    """The audit store's volume."""

    size: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$")] = Field(
        "5Gi", description="Of the volume."
    )
    className: str = Field("", description="Empty: the cluster's default class.")


class Operate(Values):
    """The operator."""

    storage: Storage = Field(
        Storage(), description="The audit store. It outlives the release."
    )
    resources: Tree = Field(
        _resources("50m", "160Mi", "512Mi"),
        description="Of the operator's container: docs/sizing.md.",
    )
    priorityClassName: str = Field(
        "", description="Of its Pod: its death changes no verdict."
    )


class Account(Values):
    """A service account."""

    annotations: dict[str, str] = Field(
        {}, description="Of the ServiceAccount, as clouds ask for them."
    )


class Accounts(Values):
    """Service accounts."""

    serve: Account = Field(Account(), description="The webhook's: it reads.")
    operate: Account = Field(Account(), description="The operator's: it writes status.")


class Policy(Values):
    """Network policies."""

    enabled: bool = Field(True, description="Whether they are made.")
    apiServerPorts: list[Annotated[int, Field(ge=1, le=65535)]] = Field(
        [443, 6443],
        description="Where the API server listens, by Service or by itself.",
    )
    apiServerCIDRs: list[Cidr] = Field(
        [], description="Its addresses. Empty: those ports of every address."
    )
    registryCIDRs: list[Cidr] = Field(
        [],
        description="Addresses of registries, asked at port 443. Empty: none besides "
        "what apiServerCIDRs opens.",
    )
    mirrorCIDRs: list[Cidr] = Field(
        [],
        description="Addresses of the mirrors that TrustRoots name, asked by the operator "
        "at port 443. Empty: none besides what apiServerCIDRs opens.",
    )
    dns: Tree = Field(
        {"namespaceSelector": {}},
        description="Whom names are asked of: a peer of a NetworkPolicy.",
    )
    recorderFrom: list[Tree] = Field(
        [],
        description="Peers that may reach the recorder. A port-forward passes without.",
    )


class Monitoring(Values):
    """What Prometheus and Grafana are told."""

    serviceMonitor: bool = Field(
        False, description="Have the Prometheus operator read both processes' metrics."
    )
    interval: Text = Field("30s", description="How often.")
    prometheusRule: bool = Field(
        False, description="Alerts; each says where the runbook tells more."
    )
    dashboard: bool = Field(
        False, description="A ConfigMap that Grafana's sidecar finds by its label."
    )
    runbook: Text = Field(
        "https://countersign.dev/docs/runbook",
        description="Where alerts say that the runbook is.",
    )
    labels: dict[str, str] = Field(
        {}, description="Of these objects, as your Prometheus selects them."
    )
    dashboardLabels: dict[str, str] = Field(
        {"grafana_dashboard": "1"}, description="Of the dashboard."
    )


class Test(Values):
    """The test of the release."""

    enabled: bool = Field(
        True,
        description="Whether `helm test` has something to run: a dry run, in a protected "
        "namespace, of a ConfigMap that has to be denied.",
    )


class Extra(Values):
    """What the chart does not know."""

    env: list[Annotated[Tree, Field(json_schema_extra=NOT_TOLD)]] = Field(
        [], description="Variables of the container; none that other values give."
    )
    volumes: list[Tree] = Field([], description="Volumes of the Pod.")
    volumeMounts: list[Tree] = Field([], description="Mounts of the container.")
    podLabels: dict[str, str] = Field({}, description="Labels of the Pod.")
    podAnnotations: dict[str, str] = Field({}, description="Annotations of the Pod.")


class Extras(Values):
    """Additions."""

    serve: Extra = Field(Extra(), description="To the webhook.")
    operate: Extra = Field(Extra(), description="To the operator.")
    objects: list[Tree | str] = Field(
        [], description="Objects of your own; a text is a template."
    )


class Installers(Values):
    """Who installs."""

    users: list[Somebody] = Field([], description="Users, by name.")
    groups: list[Somebody] = Field([], description="Groups, by name; never everybody.")


class Backstops(Values):
    """ValidatingAdmissionPolicies."""

    keys: bool = Field(
        True,
        description="Deny tokens of, and Pods as, the controllers' accounts in "
        "kube-system to all but the control plane: they pass our tables.",
    )
    installers: Installers = Field(
        Installers(),
        description="Who upgrades and removes this release. Given, everybody else is "
        "denied to change what the webhook is never asked about: its registration, our "
        "CRDs, what runs here.",
    )


class Governance(Values):
    """Who may change policies, rosters, trust roots and revocations."""

    rootRoster: str = Field(
        "",
        description="Roster whose admins sign for changes of our own objects. Empty: "
        "these are left to RBAC.",
    )
    objects: list[Tree] = Field(
        [],
        description="What the installation begins with, the root roster among it: "
        "created once, each exactly as it is here. Later changes are signed.",
    )


class Chart(Values):
    """All values of the chart."""

    clusterName: Annotated[str, StringConstraints(min_length=1, max_length=253)] = (
        Field(
            "",
            description="Name of this cluster. Every sign-off is bound to it. Required.",
        )
    )
    protectedNamespaces: Annotated[
        list[Annotated[Namespace, Field(json_schema_extra=NOT_SYSTEM)]],
        Field(min_length=1, json_schema_extra={"uniqueItems": True}),
    ] = Field(
        [],
        description="Namespaces that are protected: exact names, or globs with *. "
        "Required. Each needs a ProtectionPolicy; until it has one, everything in it is "
        "denied.",
    )
    clusterScoped: Literal["none", "recommended"] = Field(
        "none",
        description="Cluster-scoped kinds to ask about besides Namespaces. Policies say "
        "which of them they judge (spec.protect.clusterScoped).",
    )
    timeoutSeconds: Annotated[int, Field(ge=1, le=30)] = Field(
        10, description="Seconds the API server waits for a verdict."
    )
    serviceCIDRs: list[str] = Field(
        [],
        description="The API server's --service-cluster-ip-range. Empty: what its "
        "ServiceCIDR objects say.",
    )
    logLevel: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged."
    )
    replicas: Annotated[int, Field(ge=1)] = Field(
        2, description="Of the webhook. With one, nothing is admitted while it moves."
    )
    image: Image = Field(Image(), description="Of both processes.")
    resources: Tree = Field(
        _resources("100m", "192Mi", "512Mi"),
        description="Of the webhook's container: docs/sizing.md.",
    )
    tls: Tls = Field(Tls(), description="Certificates.")
    registries: Registries = Field(
        Registries(),
        description="Evidence beside images. Which registries are asked is said by "
        "policies (images.registries).",
    )
    mirrors: Mirrors = Field(
        Mirrors(),
        description="Where TrustRoots say that they are published (spec.tuf); asked by "
        "the operator.",
    )
    operate: Operate = Field(
        Operate(),
        description="The operator and the recorder: one Pod, with the audit store on a "
        "volume of its own.",
    )
    priorityClassName: str = Field(
        "system-cluster-critical",
        description="Of the webhook: it stays on a full node, since what it protects "
        "cannot change while it is away. A ResourceQuota beside it allows classes that "
        "begin with system-.",
    )
    nodeSelector: dict[str, str] = Field({}, description="Of all Pods here.")
    tolerations: list[Tree] = Field([], description="Of all Pods here.")
    affinity: Tree = Field({}, description="Of the webhook's Pods.")
    serviceAccounts: Accounts = Field(
        Accounts(), description="Each process has its own."
    )
    readers: list[Text] = Field(
        [],
        description="Groups that may reach the recorder by kubectl port-forward. They may "
        "then open any port of the Pods here; what they may read there is asked of RBAC: "
        "decisions.countersign.dev.",
    )
    governance: Governance = Field(
        Governance(), description="Who changes the rules; see docs/governance.md."
    )
    backstops: Backstops = Field(
        Backstops(),
        description="ValidatingAdmissionPolicies over what the webhook cannot see.",
    )
    recoveryGroups: list[Somebody] = Field(
        [],
        description="Groups that may repair the registration when nothing else can; "
        "announced, and recorded.",
    )
    networkPolicy: Policy = Field(
        Policy(), description="Who may talk with whom, where the network enforces it."
    )
    monitoring: Monitoring = Field(
        Monitoring(), description="Needs the kinds of the Prometheus operator."
    )
    tests: Test = Field(Test(), description="helm test.")
    extra: Extras = Field(Extras(), description="What the chart does not know.")
    global_: Tree = Field(
        {}, alias="global", description="What Helm gives to all charts; not used."
    )
