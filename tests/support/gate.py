"""The whole gate, for tests: real API server, real webhook, real command line.

`Gate` does what people do: attest, sign off, apply. What the webhook found is read from
the API server's audit log: the sentences of a denial may be written better one day, the
reasons stay.
"""

import base64
import contextlib
import gzip
import io
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from countersign.faces.cli import main
from countersign.faces.cli.session import Session
from tests.support.chart import NAMESPACE, PINNED
from tests.support.cli import Ran
from tests.support.lines import events
from tools.controlplane.commands import Result
from tools.controlplane.plane import ADMIN
from tools.stack.people import CI, DANA, LEE, Someone
from tools.stack.ready import until
from tools.stack.stack import Stack

Tree = dict[str, Any]


AUDIT_LOG = "audit.log"
BUNDLES = "countersign.dev/bundles"
_VERDICT = "countersign.dev/verdict"


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a command.

    Attributes:
        code: kubectl's exit code.
        out: What it printed, errors last.
        reasons: Of every finding about the requests it made.
        bases: What those that were admitted rest on, as the audit log writes it.
        rules: What judged each of its requests that somebody had to judge.
    """

    code: int
    out: str
    reasons: tuple[str, ...]
    bases: tuple[str, ...]
    rules: tuple[str, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether kubectl was content, and the webhook was asked and found nothing."""
        return self.code == 0 and not self.reasons and bool(self.bases)

    @property
    def doors(self) -> set[str]:
        """The doors that were used."""
        return {basis.split()[1] for basis in self.bases}


@dataclass
class Gate:
    """The stack, and the ways people use it.

    Attributes:
        stack: Runs; the webhook is registered for its protected namespaces.
        folder: For files.
        audit: The API server's audit log.
        audit_read: How far it was read, in bytes.
        meant: Requests (audit IDs) among which controllers were to be denied.
    """

    stack: Stack
    folder: Path
    audit: Path
    audit_read: int = field(default=0)
    meant: set[str] = field(default_factory=set)

    def cli(
        self, *arguments: str | Path, at: datetime | None = None, **environ: str
    ) -> Ran:
        """Run the command line as somebody at this stack, at the moment `at`."""
        before = dict(os.environ)
        os.environ.update(self.stack.environment, COUNTERSIGN_PASSWORD="")
        os.environ.update(environ)  # click reads its options' variables there
        session = Session(environ=os.environ, present=lambda: at or datetime.now(UTC))
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = main([str(one) for one in arguments], session=session)
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Ran(code, out.getvalue(), err.getvalue())

    def attest(
        self,
        *manifests: Tree,
        span: str = "",
        images: Sequence[str] = (PINNED,),
        token: Path | None = None,
        flags: Sequence[str | Path] = (),
        repo: Path | None = None,
        environ: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Return `manifests` with provenance signed by CI: by its key, or by `token`."""
        history = self.stack.history
        out = self.folder / "attested.yaml"
        done = self.cli(
            "attest",
            span or f"{history.baseline}..{history.head}",
            "--repo",
            repo or history.path,
            "-f",
            self.write(*manifests),
            *(word for image in images for word in ("--image", image)),
            *(("--identity-token", token) if token else ("--key", self.stack.key(CI))),
            "--carrier",
            "annotations",
            "--out",
            out,
            *flags,
            at=None,
            **environ,
        )
        assert done.code == 0, done.err
        return out.read_text()

    def sign(
        self,
        text: str,
        *flags: str | Path,
        by: Someone = DANA,
        at: datetime | None = None,
        keyless: bool = False,
        stamped: bool = True,
    ) -> str:
        """Return the objects of `text` signed off by `by`.

        Args:
            text: Objects, with what they carry.
            flags: Further ones of the command.
            by: Whose key or token is used.
            at: What the signer's clock shows; now if None.
            keyless: Sign by certificate and log, not by key.
            stamped: Whether the time-stamping authority sees a key's signature.
        """
        out = self.folder / "signed.yaml"
        file = self.folder / "to-sign.yaml"
        file.write_text(text)
        identity = (
            ("--identity-token", self.stack.token(by))
            if keyless
            else ("--key", self.stack.key(by))
        )
        done = self.cli(
            "sign-off",
            "-f",
            file,
            "--answers",
            self.stack.folder / "people" / "answers.yaml",
            "--out",
            out,
            *identity,
            *(() if "--carrier" in flags else ("--carrier", "annotations")),
            *flags,
            at=at,
            **({} if stamped else {"COUNTERSIGN_SIGNING_CONFIG": ""}),
        )
        assert done.code == 0, done.err
        return out.read_text()

    def approved(self, *manifests: Tree) -> str:
        """Return `manifests` with all that ``payments`` asks for."""
        return self.sign(self.attest(*manifests))

    def kubectl(
        self,
        *arguments: str | Path,
        by: Someone | None = LEE,
        stdin: str | Mapping[str, Any] | None = None,
    ) -> Judged:
        """Run kubectl as `by`, and read what the audit log says of it.

        Args:
            arguments: What follows ``kubectl``.
            by: Who; None is the cluster's administrator, with ``payments`` as namespace.
            stdin: What ``-f -`` reads.
        """
        place = ("--namespace", NAMESPACE) if by is None else ()
        return self._judged(
            self.stack.plane.kubectl, *place, *arguments, by=by, stdin=stdin
        )

    def helm(
        self, *arguments: str | Path, by: Someone | None = LEE, stdin: str | None = None
    ) -> Judged:
        """Run helm as `by`, and read what the audit log says of it."""
        return self._judged(self.stack.plane.helm, *arguments, by=by, stdin=stdin)

    def _judged(
        self,
        run: Callable[..., Result],
        *arguments: str | Path,
        by: Someone | None,
        stdin: str | Mapping[str, Any] | None,
    ) -> Judged:
        self._written()
        user = ADMIN if by is None else self.stack.kubeconfig(by)
        done = run(*arguments, user=user, stdin=stdin)
        said = [
            one.get("annotations", {})
            for one in self._written()
            if one["user"]["username"] == (ADMIN if by is None else by.id)
        ]
        judged = [one for one in said if any(_VERDICT in key for key in one)]
        return Judged(
            code=done.code,
            out=done.stdout + done.stderr,
            reasons=tuple(
                name.partition(" ")[0]
                for one in judged
                for name in _value(one, "findings").split(", ")
                if name
            ),
            bases=tuple(b for one in judged if (b := _value(one, "basis"))),
            rules=tuple(_value(one, "rule") for one in judged),
        )

    def apply(self, text: str, *flags: str, by: Someone = LEE) -> Judged:
        """``kubectl apply`` what `text` holds."""
        return self.kubectl("apply", *flags, "-f", "-", by=by, stdin=text)

    def wait_for(self, reason: str, text: str) -> None:
        """Wait until a dry run of `text` is denied for `reason`; admitted if empty."""

        def otherwise() -> str:
            seen = self.apply(text, "--dry-run=server").reasons
            return "" if (reason in seen if reason else not seen) else f"saw {seen}"

        until(otherwise, what=f"{reason or 'an admission'} by what was just changed")

    def pod(self, app: str) -> str:
        """Wait for a Pod of `app`; return it as ``pod/NAME``."""
        wanted = ("get", "pods", "-n", NAMESPACE, "-l", f"app={app}", "-o", "name")
        found: list[str] = []

        def missing() -> str:
            found[:] = self.stack.plane.kubectl(*wanted).stdout.split()
            return "" if found else "none"

        until(missing, what=f"a Pod of {app}")
        return found[0]

    def write(self, *manifests: Tree) -> Path:
        """Write manifests into a file."""
        file = self.folder / "manifests.yaml"
        file.write_text(yaml.safe_dump_all(manifests, sort_keys=False))
        return file

    def _written(self) -> list[Tree]:
        """Return what was written to the API server since the last call."""
        fresh, self.audit_read = events(self.audit, self.audit_read)
        return fresh


def _value(said: Mapping[str, str], name: str) -> str:
    """Return an audit annotation of ours; the server puts the webhook's name before it."""
    return next(
        (v for k, v in said.items() if k.endswith(f"countersign.dev/{name}")), ""
    )


def documents(text: str) -> list[Tree]:
    """Read what the command line wrote."""
    return [one for one in yaml.safe_load_all(text) if one]


def written(trees: Sequence[Tree]) -> str:
    """Write objects for kubectl."""
    return yaml.safe_dump_all(trees, sort_keys=False)


def annotations(tree: Tree) -> dict[str, str]:
    """Return the annotations of an object, to be changed in place."""
    found: dict[str, str] = tree["metadata"].setdefault("annotations", {})
    return found


def bundles(tree: Tree) -> list[Tree]:
    """Return the bundles that an object carries."""
    found: list[Tree] = json.loads(
        gzip.decompress(base64.b64decode(tree["metadata"]["annotations"][BUNDLES]))
    )
    return found


def carry(tree: Tree, given: Sequence[Tree]) -> None:
    """Have an object carry these bundles instead."""
    packed = gzip.compress(json.dumps([*given]).encode())
    annotations(tree)[BUNDLES] = base64.b64encode(packed).decode()


def days(count: float) -> timedelta:
    """Return so many days."""
    return timedelta(days=count)


@contextlib.contextmanager
def changed(gate: Gate, tree: Tree) -> Iterator[None]:
    """Apply an object of countersign's own for a while, as the administrator."""
    plane = gate.stack.plane
    plane.kubectl("apply", "-f", "-", stdin=tree).check()
    try:
        yield
    finally:
        plane.kubectl("delete", "-f", "-", stdin=tree).check()
