"""How this process runs. What is asked of changes is policy, and not here.

Precedence, in one direction: flag > ``COUNTERSIGN_*`` > file > default.
"""

from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

PREFIX = "COUNTERSIGN_"

NamespacePattern = Annotated[
    str, StringConstraints(max_length=63, pattern=r"^[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?$")
]


def _cidr(text: str) -> str:
    ip_network(text)  # a ValueError is a problem with its path
    return text


Cidr = Annotated[str, AfterValidator(_cidr)]


def _words(value: object) -> object:
    """Let flags and the environment write a list as ``a,b``."""
    if isinstance(value, str):
        return [word.strip() for word in value.split(",") if word.strip()]
    return value


class _Group(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Listen(_Group):
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


class Limits(_Group):
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
        description="Requests judged at once; more are denied as unavailable. The API "
        "server keeps up to 25 connections to a webhook.",
    )
    body_budget_mib: int = Field(
        default=64,
        ge=8,
        description="Bodies held at once, in MiB: 8 of the largest.",
    )
    drain_s: float = Field(
        default=5.0,
        ge=0,
        description="How long a stopping replica still answers, so that no call is "
        "lost while endpoints are updated. Seconds.",
    )


class Cluster(_Group):
    """How the API server is reached and watched, and how it was started."""

    kubeconfig: Path | None = Field(
        default=None,
        description="Absent: the Pod's service account, else KUBECONFIG as kubectl "
        "reads it.",
    )
    context: str | None = Field(default=None, description="Context of the kubeconfig.")
    watch_s: float = Field(
        default=20.0,
        gt=0,
        description="How long one watch request lasts before the next: the longest "
        "that a healthy watch stays silent. Seconds.",
    )
    stale_s: float = Field(
        default=60.0,
        gt=0,
        description="After so long without a word from the API server everything is "
        "denied as stale. Seconds; at least twice watch_s.",
    )
    request_s: float = Field(
        default=5.0,
        gt=0,
        description="Time for one GET or one page of a LIST. Seconds.",
    )

    service_cidrs: Annotated[tuple[Cidr, ...], BeforeValidator(_words)] = Field(
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

    @model_validator(mode="after")
    def _patient(self) -> Self:
        if self.stale_s < 2 * self.watch_s:
            raise ValueError("expected stale_s of at least twice watch_s")
        return self


class Log(_Group):
    """What is logged, and how."""

    format: Literal["json", "text"] = Field(
        default="json", description="One JSON object a line, or text for a terminal."
    )
    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level. DEBUG may name digests."
    )


class Spool(_Group):
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


class Settings(_Group):
    """Everything that ``countersign serve`` can be told."""

    cluster_name: str = Field(
        min_length=1,
        max_length=253,
        description="Name of this cluster: sign-offs are bound to it. Required; a "
        "default would make sign-offs of one cluster valid in another.",
    )
    protected_namespaces: Annotated[
        tuple[NamespacePattern, ...], BeforeValidator(_words)
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
    listen: Listen = Listen()
    limits: Limits = Limits()
    cluster: Cluster = Cluster()
    spool: Spool = Spool()
    log: Log = Log()


def _origin(text: str) -> str:
    told = urlsplit(text)
    extra = told.path or told.query or told.fragment or told.username
    if told.scheme != "https" or not told.hostname or not told.port or extra:
        raise ValueError("expected https://host:port")
    return text


Origin = Annotated[str, AfterValidator(_origin)]


class Records(_Group):
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


class Spools(_Group):
    """The spools that are recorded, and as whom they are asked."""

    sources: Annotated[tuple[Origin, ...], BeforeValidator(_words)] = Field(
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


class OperateSettings(_Group):
    """Everything that ``countersign operate`` can be told."""

    own_namespace: NamespacePattern = Field(
        default="countersign",
        min_length=1,
        description="Where countersign runs: what is registered must lead there.",
    )
    records: Records = Records()
    spools: Spools = Spools()
    cluster: Cluster = Cluster()
    log: Log = Log()


S = TypeVar("S", bound=_Group)


def load(
    model: type[S],
    *,
    flags: Mapping[str, object],
    environment: Mapping[str, str],
    file: Path | None = None,
) -> S:
    """Merge flags, environment and file over the defaults.

    Args:
        model: Of which process.
        flags: By path, such as ``listen.port``; None: not given.
        environment: ``COUNTERSIGN_LISTEN_PORT`` and the like; other names, with the
            prefix too, belong to other commands and are left alone.
        file: YAML with the fields of `model`.

    Raises:
        ValueError: something is missing, unknown or does not fit; one line for each.
        OSError: `file` cannot be read.
    """
    merged: dict[str, Any] = _read(file) if file else {}
    for path in paths(model):
        name = variable(path)
        if name in environment:
            _put(merged, path, environment[name])
    for path, value in flags.items():
        if value is not None:
            _put(merged, path, value)
    try:
        return model.model_validate(merged)
    except ValidationError as error:
        raise ValueError("\n".join(_lines(error))) from error


def paths(group: type[BaseModel], prefix: str = "") -> list[str]:
    """Return the path of every setting, ``listen.port`` for instance."""
    found = []
    for name, field in group.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, _Group):
            found += paths(inner, f"{prefix}{name}.")
        else:
            found.append(f"{prefix}{name}")
    return found


def variable(path: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + path.replace(".", "_").upper()


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_text())
    except yaml.YAMLError as error:
        raise ValueError(f"{file}: expected YAML: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{file}: expected a mapping of settings")  # noqa: TRY004
    return content


def _put(merged: dict[str, Any], path: str, value: object) -> None:
    *groups, last = path.split(".")
    for group in groups:
        inner = merged.setdefault(group, {})
        if not isinstance(inner, dict):
            raise ValueError(f"{group}: expected a mapping, saw {inner!r}")  # noqa: TRY004
        merged = inner
    merged[last] = value


def _lines(error: ValidationError) -> list[str]:
    lines = []
    for detail in error.errors(include_url=False):
        path = ".".join(str(step) for step in detail["loc"])
        seen = "" if detail["type"] == "missing" else f", saw {detail['input']!r}"
        lines.append(f"{path} ({variable(path)}): {detail['msg']}{seen}")
    return lines
