"""``countersign static-admission``: files with which no request switches the gate off."""

import base64
from pathlib import Path

import click

from countersign.faces.cli import options
from countersign.faces.cli.files import read_file
from countersign.faces.cli.session import Command, Exit


@click.command("static-admission", cls=Command)
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write to; made if it is not there, overwritten if it is.",
)
@click.option(
    "--at",
    "there",
    help="Where it will lie on the control plane's nodes; else --out, made absolute.",
)
@click.option(
    "--url",
    help="The webhook, as the API server reaches it: https://HOST:PORT/validate. "
    "Without, guards alone: the chart's registration is what asks, and nobody "
    "deletes it.",
)
@click.option(
    "--ca-file",
    type=options.FILE,
    help="With --url: certificate authority of the webhook (PEM).",
)
@click.option(
    "-n",
    "--namespace",
    "namespaces",
    multiple=True,
    help="With --url: namespace to protect, or a glob with *. Repeatable.",
)
@click.option(
    "--own-namespace",
    default="countersign",
    show_default=True,
    help="Where countersign runs.",
)
@click.option(
    "--cluster-scoped",
    type=click.Choice(["none", "recommended"]),
    default="none",
    show_default=True,
    help="Cluster-scoped kinds to ask about besides Namespaces.",
)
@click.option(
    "--timeout",
    "timeout_s",
    type=click.IntRange(1, 30),
    default=10,
    show_default=True,
    help="Seconds the API server waits for a verdict.",
)
@click.option(
    "--installer",
    "users",
    multiple=True,
    help="User who may still change what is guarded. Repeatable.",
)
@click.option(
    "--installer-group",
    "groups",
    multiple=True,
    help="Group whose members may. Repeatable.",
)
def command(
    *,
    folder: Path,
    there: str | None,
    url: str | None,
    ca_file: Path | None,
    namespaces: tuple[str, ...],
    own_namespace: str,
    cluster_scoped: str,
    timeout_s: int,
    users: tuple[str, ...],
    groups: tuple[str, ...],
) -> int:
    """Write admission files that an API server loads from its own disk.

    The webhook and the guards are then no objects of the API: whoever may do anything
    there, system:masters too, cannot see, change or delete them. For Kubernetes 1.37
    and newer; 1.36 has it behind a feature gate.

    \b
    Example:
      countersign static-admission -n payments --out admission \\
        --at /etc/kubernetes/countersign --ca-file ca.crt \\
        --url https://10.96.0.40:443/validate
    """  # noqa: D301 - click's mark for "do not wrap"
    # the tables, which --help need not read
    from countersign.binding import static_files  # noqa: PLC0415
    from countersign.binding.surface import RECOMMENDED  # noqa: PLC0415
    from countersign.wire.yaml_text import render_yaml  # noqa: PLC0415

    if bool(url) != bool(ca_file) or bool(url) != bool(namespaces):
        raise click.UsageError(
            "expected --url, --ca-file and --namespace together, for a webhook in these "
            "files, or none of them, for guards alone"
        )
    place = there or str(folder.resolve())
    bundle = base64.b64encode(read_file(str(ca_file))).decode() if ca_file else ""
    made = static_files.static_files(
        static_files.Fixed(
            folder=place,
            url=url or "",
            ca_bundle=bundle,
            protected=namespaces,
            own_namespace=own_namespace,
            cluster_scoped=RECOMMENDED if cluster_scoped == "recommended" else (),
            timeout_s=timeout_s,
            users=users,
            groups=groups,
        )
    )
    for path, trees in made.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        # whole or not at all: an API server looks every minute
        new = file.with_name(f".{file.name}.new")
        new.write_text(render_yaml(trees))
        new.replace(file)
        click.echo(f"wrote {file}")
    flag = f"--admission-control-config-file={place}/{static_files.ENTRANCE}"
    gate = f"--feature-gates={static_files.GATE}=true"
    click.echo(
        f"next: put {folder} at {place} on every node of the control plane, and start "
        f"kube-apiserver with {flag} (on {static_files.SINCE} also {gate}). If that file "
        "is there already, add what is in plugins to it.",
        err=True,
    )
    return Exit.DONE
