"""What ``countersign serve`` can be told."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    model_validator,
)

from countersign.config.shared import Connection, Group, Log, NamespacePattern, words

TokenHost = Annotated[
    str, StringConstraints(max_length=512, pattern=r"^[^=\s/]+=[^=\s/]+$")
]


def _cidr(text: str) -> str:
    ip_network(text)  # a ValueError is a problem with its path
    return text


Sha256 = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$")]
Cidr = Annotated[str, AfterValidator(_cidr)]


class Listen(Group):
    """Where the webhook listens, and as whom."""

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - in a Pod every address is the Pod's
        description="Address to bind.",
    )
    port: int = Field(
        default=8443,
        ge=0,
        le=65535,
        description="TCP port; 0 lets the system choose. Above 1024: no privilege.",
    )
    certificate_file: Path = Field(
        default=Path("/etc/countersign/tls/tls.crt"),
        description="Certificate chain in PEM. Watched, and loaded again on change.",
    )
    key_file: Path = Field(
        default=Path("/etc/countersign/tls/tls.key"),
        description="Its private key in PEM.",
    )
    client_ca_file: Path | None = Field(
        default=None,
        description="Certificate authority of the API server's client certificate. "
        "Absent: /validate answers anyone who reaches it, and tells nothing but "
        "verdicts.",
    )


class Limits(Group):
    """What bounds one replica."""

    deadline_s: float = Field(
        default=8.0,
        gt=0,
        le=30,
        description="Time to judge a request whose ?timeout= is absent; 80 % of the "
        "chart's 10 s. Seconds.",
    )
    in_flight: int = Field(
        default=64,
        ge=1,
        description="Requests judged at once. Sixteen times as many wait their turn; more "
        "are denied as unavailable.",
    )
    body_budget_mib: int = Field(
        default=64,
        ge=8,
        description="Bodies held at once, in MiB: 8 of the largest; others wait. Those up "
        "to 64 KiB are not counted.",
    )
    drain_s: float = Field(
        default=5.0,
        ge=0,
        description="How long a stopping replica still answers, so that no call is "
        "lost while endpoints are updated. Seconds.",
    )


class Spool(Group):
    """Where decisions are kept until the recorder has them, and how it gets them."""

    directory: Path | None = Field(
        default=None,
        description="Folder for decisions, of this replica alone; it should outlive "
        "the container. Absent: nothing is recorded, and denials name no decision.",
    )
    max_mib: int = Field(
        default=256,
        ge=1,
        description="What the folder may hold, in MiB. Beyond that decisions are lost, "
        "and counted; verdicts stay as they are.",
    )
    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - in a Pod every address is the Pod's
        description="Address to bind for the recorder.",
    )
    port: int = Field(
        default=9443,
        ge=0,
        le=65535,
        description="TCP port for the recorder; 0 lets the system choose.",
    )
    certificate_file: Path | None = Field(
        default=None,
        description="Certificate chain shown to the recorder, in PEM. Absent: the "
        "webhook's.",
    )
    key_file: Path | None = Field(
        default=None, description="Its private key in PEM. Absent: the webhook's."
    )
    client_ca_file: Path | None = Field(
        default=None,
        description="Certificate authority of the recorder's client certificate, whose "
        "common name is countersign-recorder. Required with `directory`.",
    )
    handover_s: float = Field(
        default=0.0,
        ge=0,
        description="How long a stopped replica stays, at most, until the recorder has "
        "all that it kept; needed where the folder goes with the replica. Seconds.",
    )

    @model_validator(mode="after")
    def _certified(self) -> Self:
        if self.directory is not None and self.client_ca_file is None:
            raise ValueError("expected client_ca_file where there is a directory")
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("expected certificate_file and key_file, or neither")
        return self


class Cluster(Connection):
    """How the API server is reached and watched, and how it was started."""

    service_cidrs: Annotated[tuple[Cidr, ...], BeforeValidator(words)] = Field(
        default=(),
        description="Its --service-cluster-ip-range: addresses that it may allocate to "
        "a Service. Absent: what its ServiceCIDR objects say.",
    )
    first_node_port: int = Field(
        default=30000, ge=1, le=65535, description="Of its --service-node-port-range."
    )
    last_node_port: int = Field(
        default=32767, ge=1, le=65535, description="Of its --service-node-port-range."
    )
    not_ready_s: int = Field(
        default=300,
        ge=0,
        description="Its --default-not-ready-toleration-seconds.",
    )
    unreachable_s: int = Field(
        default=300,
        ge=0,
        description="Its --default-unreachable-toleration-seconds.",
    )
    admission_plugins: Annotated[
        tuple[Literal["AlwaysPullImages", "ExtendedResourceToleration"], ...],
        BeforeValidator(words),
    ] = Field(
        default=(),
        description="Those of its --enable-admission-plugins that are off by default "
        "and write into Pods: what they write is expected then.",
    )


class Registries(Group):
    """How registries are asked for evidence beside images, where a policy names any."""

    docker_config: Path | None = Field(
        default=None,
        description="File with credentials, as docker and image pull secrets have it "
        "(auths). Read again when it changes. Absent: nobody is logged in anywhere.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificate authorities of registries besides the system's, PEM.",
    )
    token_hosts: Annotated[tuple[TokenHost, ...], BeforeValidator(words)] = Field(
        default=(),
        description="REGISTRY=HOST: who else may issue tokens of a registry, and is "
        "shown its credentials. Those of docker.io and registry.gitlab.com are known.",
    )
    concurrency: int = Field(
        default=8,
        ge=1,
        le=64,
        description="Looks at one registry at a time; a look is some requests.",
    )
    rate: float = Field(
        default=20.0, gt=0, description="Looks at one registry a second."
    )
    cache_mib: int = Field(
        default=64, ge=1, description="What is remembered of registries, in MiB."
    )
    allow_loopback: bool = Field(
        default=False,
        description="Registries may be on this machine: for tests. What else is never "
        "asked: link-local addresses, the clouds' metadata.",
    )


class Governance(Group):
    """Who may change policies, rosters, trust roots and revocations."""

    root_roster: str = Field(
        default="",
        max_length=253,
        description="Name of the Roster whose admins (roles roster-admin and "
        "policy-admin) sign for changes of our own objects. Empty: these are left to "
        "RBAC.",
    )
    founding: Annotated[tuple[Sha256, ...], BeforeValidator(words)] = Field(
        default=(),
        description="sha256:… of the objects that may be created while there is no root "
        "roster, its own among them. Once it is there, they count for nothing.",
    )
    recovery_groups: Annotated[tuple[str, ...], BeforeValidator(words)] = Field(
        default=(),
        description="Groups that may write the root roster and trust roots without a "
        "signature, for when the last admin is lost. Each use is counted and recorded.",
    )

    @model_validator(mode="after")
    def _rooted(self) -> Self:
        if (self.founding or self.recovery_groups) and not self.root_roster:
            raise ValueError("expected root_roster beside founding or recovery_groups")
        return self


class Settings(Group):
    """Everything that ``countersign serve`` can be told."""

    cluster_name: str = Field(
        min_length=1,
        max_length=253,
        description="Name of this cluster: sign-offs are bound to it. Required; a "
        "default would make sign-offs of one cluster valid in another.",
    )
    protected_namespaces: Annotated[
        tuple[NamespacePattern, ...], BeforeValidator(words)
    ] = Field(
        default=(),
        description="Names or globs that must have a policy: where none holds, "
        "everything is denied. A floor under the policies.",
    )
    own_namespace: NamespacePattern = Field(
        default="countersign",
        min_length=1,
        description="Where countersign runs: BundleSets about cluster-scoped objects "
        "lie there.",
    )
    governance: Governance = Governance()
    listen: Listen = Listen()
    limits: Limits = Limits()
    cluster: Cluster = Cluster()
    registries: Registries = Registries()
    spool: Spool = Spool()
    log: Log = Log()
