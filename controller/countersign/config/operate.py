"""What ``countersign operate`` can be told."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from countersign.config.shared import Connection, Group, Log, NamespacePattern, words


def _origin(text: str) -> str:
    told = urlsplit(text)
    extra = told.path or told.query or told.fragment or told.username
    if told.scheme != "https" or not told.hostname or not told.port or extra:
        raise ValueError("expected https://host:port")
    return text


Origin = Annotated[str, AfterValidator(_origin)]


class Records(Group):
    """Where the recorder serves decisions to be read, and as whom."""

    host: str = Field(
        default="0.0.0.0",  # noqa: S104 - in a Pod every address is the Pod's
        description="Address to bind.",
    )
    port: int = Field(
        default=8445,
        ge=0,
        le=65535,
        description="TCP port; 0 lets the system choose.",
    )
    certificate_file: Path = Field(
        default=Path("/etc/countersign/tls/tls.crt"),
        description="Certificate chain in PEM. Watched, and loaded again on change.",
    )
    key_file: Path = Field(
        default=Path("/etc/countersign/tls/tls.key"),
        description="Its private key in PEM.",
    )
    database: Path = Field(
        default=Path("/var/lib/countersign/audit.db"),
        description="The audit store, a SQLite file; its folder must be there, and "
        "outlive the Pod.",
    )


class Spools(Group):
    """The spools that are recorded, and as whom they are asked."""

    sources: Annotated[tuple[Origin, ...], BeforeValidator(words)] = Field(
        default=(),
        description="https://host:port of the spools of `serve`. Every address of a "
        "host is one replica; looked up again each time.",
    )
    server_name: str = Field(
        default="countersign-serve",
        min_length=1,
        description="Name in the certificates of the replicas, whatever their address.",
    )
    ca_file: Path = Field(
        default=Path("/etc/countersign/spool/ca.crt"),
        description="Certificate authority of the replicas, PEM.",
    )
    certificate_file: Path = Field(
        default=Path("/etc/countersign/spool/tls.crt"),
        description="Our client certificate, PEM; common name countersign-recorder.",
    )
    key_file: Path = Field(
        default=Path("/etc/countersign/spool/tls.key"),
        description="Its private key in PEM.",
    )
    poll_s: float = Field(
        default=1.0,
        gt=0,
        description="Between two looks at a spool that had nothing more. Seconds.",
    )
    request_s: float = Field(
        default=15.0,
        gt=0,
        description="Time for one batch of one replica. Seconds.",
    )


class Election(Group):
    """How one of several processes is chosen that operates and records."""

    name: str = Field(
        default="countersign-operate",
        description="Name of the Lease in own_namespace. Empty: there is no other "
        "process, and none is asked for.",
    )
    identity: str = Field(
        default="",
        description="Name of this process in the Lease; no two have the same. Absent: "
        "the name of the Pod, and a random part.",
    )
    lasts_s: int = Field(
        default=15,
        ge=3,
        description="A holder that is silent for so long is taken over from. It renews "
        "three times as often. Seconds.",
    )


class Scan(Group):
    """How what runs is verified again."""

    every_s: float = Field(
        default=3600.0,
        ge=0,
        description="Between two scans of everything; changed policies, rosters, trust "
        "roots and revocations are heeded within a minute. 0: never. Seconds.",
    )
    rate: float = Field(
        default=20.0,
        gt=0,
        description="Requests to the API server a second, at most.",
    )
    max_results: int = Field(
        default=200,
        ge=1,
        le=1000,
        description="Findings of one namespace that its report names; the rest is "
        "counted.",
    )


class Certificates(Group):
    """Certificates of our own that are renewed."""

    authorities: Annotated[tuple[str, ...], BeforeValidator(words)] = Field(
        default=(),
        description="Secrets in own_namespace with the authorities, and their keys, by "
        "which certificates are renewed: countersign-webhook-authority, "
        "countersign-internal-authority. Absent: none is renewed here.",
    )
    days: float = Field(
        default=30.0,
        gt=0,
        description="How long a renewed certificate lasts; the next one is made when a "
        "third of that is left.",
    )
    every_s: float = Field(
        default=600.0,
        gt=0,
        description="Between two looks at them. Seconds.",
    )


class Beginning(Group):
    """What is created while there is no root roster."""

    directory: Path | None = Field(
        default=None,
        description="Folder with the objects, a JSON file each; serve has to know their "
        "digests. Absent: nothing is created.",
    )
    root_roster: str = Field(
        default="",
        max_length=253,
        description="Name of the root roster, which is created last.",
    )

    @model_validator(mode="after")
    def _rooted(self) -> Self:
        if self.directory is not None and not self.root_roster:
            raise ValueError("expected root_roster where there is a directory")
        return self


class Watchdog(Group):
    """Whether somebody looks that the gate stands."""

    every_s: float = Field(
        default=60.0,
        ge=0,
        description="Between two looks at the registration, each with a change in every "
        "protected namespace that must be denied, as a dry run. 0: never. Seconds.",
    )


class Mirrors(Group):
    """Where trust roots say that they are published (spec.tuf)."""

    every_s: float = Field(
        default=21600.0,
        ge=0,
        description="Between two looks there; what is new is told, and never put into "
        "force. Nothing is asked where no trust root names a mirror. 0: never. Seconds.",
    )
    look_s: float = Field(
        default=20.0, gt=0, le=120, description="Time for all of one look. Seconds."
    )
    ca_file: Path | None = Field(
        default=None,
        description="Authorities of mirrors in PEM, besides the system's.",
    )
    allow_loopback: bool = Field(
        default=False,
        description="Let a mirror be on this machine. Link-local and metadata addresses "
        "are refused whatever a name resolves to.",
    )


class OperateSettings(Group):
    """Everything that ``countersign operate`` can be told."""

    cluster_name: str = Field(
        default="",
        description="Name of this cluster, to which sign-offs are bound. Absent: what "
        "runs is not verified again.",
    )
    own_namespace: NamespacePattern = Field(
        default="countersign",
        min_length=1,
        description="Where countersign runs: what is registered must lead there.",
    )
    records: Records = Records()
    spools: Spools = Spools()
    cluster: Connection = Connection()
    lease: Election = Election()
    scan: Scan = Scan()
    certificates: Certificates = Certificates()
    beginning: Beginning = Beginning()
    watchdog: Watchdog = Watchdog()
    mirrors: Mirrors = Mirrors()
    log: Log = Log()
