"""Options that several commands share."""

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar, cast

import click
from click.core import ParameterSource

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningOptions:
    """Who signs, and with whose help; a key wins over all else."""

    key: Path | None
    identity_token: str | None
    trusted_root: Path | None
    signing_config: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryOptions:
    """How registries are reached; who the user is to them, docker's configuration says."""

    registry_ca: Path | None = None
    plain_http: tuple[str, ...] = ()


def together(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Make one decorator of several, shown in the order given."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


FILE = click.Path(dir_okay=False, path_type=Path)

clusters = click.option(
    "--cluster",
    "clusters",
    multiple=True,
    envvar="COUNTERSIGN_CLUSTER",
    help="Name of the cluster it holds for. Repeatable.",
)
repo = click.option(
    "--repo",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="The repository's work tree.",
)
repo_uri = click.option(
    "--repo-uri",
    default="",
    envvar="COUNTERSIGN_REPO_URI",
    help="Address under which policies know it; else the CI's, else that of origin.",
)
_source = click.option(
    "--source",
    "revisions",
    default="",
    metavar="RANGE",
    help="Commits (BASE..TARGET) to show and approve, so that later ranges may begin at "
    "TARGET.",
)
source = together(_source, repo, repo_uri)
carry_over = click.option(
    "--carry-over",
    "earlier",
    multiple=True,
    metavar="FILE",
    help="What attest or sign-off wrote before. Objects that are the same as there keep "
    "its evidence, as far as it still holds; only the others are covered. Repeatable.",
)
cluster = click.option(
    "--cluster",
    envvar="COUNTERSIGN_CLUSTER",
    help="Name of the cluster that the manifests are for.",
)
judged_images = click.option(
    "--image",
    "images",
    multiple=True,
    metavar="REF@DIGEST",
    help="Judge the objects that were attested or approved beside this image. Its "
    "registry is asked, as with --registries. Repeatable.",
)
out = click.option("--out", type=FILE, help="Where the result is written.")
output = click.option(
    "-o",
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    help="Format of what is printed.",
)
policies = click.option(
    "--policies",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    envvar="COUNTERSIGN_POLICIES",
    help="Folder that holds ProtectionPolicy, Roster, TrustRoot and Revocation.",
)
kubeconfig = together(
    click.option("--kubeconfig", type=FILE, help="Path of the kubeconfig."),
    click.option("--context", help="Context of the kubeconfig."),
)
trusted_root = click.option(
    "--trusted-root",
    type=FILE,
    envvar="COUNTERSIGN_TRUSTED_ROOT",
    help="trusted_root.json of a private Sigstore.",
)
sets_only = click.option(
    "--sets-only",
    is_flag=True,
    help="Write BundleSets without the objects: Helm or a GitOps controller applies "
    "those.",
)
_SIGNING = (
    click.option(
        "--key",
        type=FILE,
        envvar="COUNTERSIGN_KEY",
        help="Sign with this private key (PEM) instead of keyless.",
    ),
    click.option(
        "--identity-token",
        envvar="COUNTERSIGN_IDENTITY_TOKEN",
        help="File with an OIDC token, or - for standard input; else the CI's own "
        "token, else a browser.",
    ),
    trusted_root,
    click.option(
        "--signing-config",
        type=FILE,
        envvar="COUNTERSIGN_SIGNING_CONFIG",
        help="signing_config.json of a private Sigstore.",
    ),
)


def signing(function: F) -> F:
    """Add the options that say who signs, given as one `SigningOptions`.

    What stands on the command line wins over the environment: ``--identity-token`` over
    a key in ``COUNTERSIGN_KEY``, and the other way round.
    """

    @wraps(function)
    def gathered(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - click's own calls
        names = [field.name for field in fields(SigningOptions)]
        chosen = {name: given.pop(name) for name in names}
        context = click.get_current_context()
        written = {
            name
            for name in ("key", "identity_token")
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE
        }
        if len(written) > 1:
            raise click.UsageError("expected --key or --identity-token, saw both")
        if written == {"identity_token"}:
            chosen["key"] = None
        return function(*args, signing=SigningOptions(**chosen), **given)

    return together(*_SIGNING)(cast("F", gathered))


ask_registries = click.option(
    "--registries",
    "ask_registries",
    is_flag=True,
    help="Look beside images, too, in the registries that the policies name.",
)
_REGISTRIES = (
    click.option(
        "--registry-ca",
        type=FILE,
        envvar="COUNTERSIGN_REGISTRY_CA",
        help="Authority of registries (PEM), besides those that this machine trusts.",
    ),
    click.option(
        "--plain-http",
        multiple=True,
        metavar="HOST:PORT",
        help="A registry on this very machine that speaks no TLS. Repeatable.",
    ),
)


def registries(function: F) -> F:
    """Add the options that say how registries are reached, as one `RegistryOptions`."""

    @wraps(function)
    def gathered(*args: Any, **given: Any) -> Any:  # noqa: ANN401 - click's own calls
        chosen = {f.name: given.pop(f.name) for f in fields(RegistryOptions)}
        return function(*args, registry=RegistryOptions(**chosen), **given)

    return together(*_REGISTRIES)(cast("F", gathered))


def require_out(output: str, out: Path | None) -> None:
    """Refuse to mix two results on standard output.

    Raises:
        click.UsageError: JSON is asked for and the result has no file.
    """
    if output == "json" and out is None:
        raise click.UsageError(
            "expected a file for the result beside -o json, saw none: give --out FILE"
        )
