"""The real cosign, signing with a key or as somebody at a throw-away Sigstore."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any

from countersign.adapters.sign.config import SigstoreConfig
from countersign.core.types.artifacts import Digest
from countersign.core.types.evidence import Evidence
from countersign.core.types.trust import TrustedKey, TrustRoot
from tests.support.proving import prover
from tests.support.pushed import cosign
from tests.support.registry import Registry
from tests.support.started import place, until_said
from tools.controlplane.commands import Result
from tools.sigstore import VirtualSigstore, Workflow
from tools.sigstore.trust_root import Rekor


class Services(StrEnum):
    """Who besides the signer says that there is a signature."""

    NOBODY = "nobody"
    STAMPED = "a time-stamping authority"
    REKOR_V1 = "Rekor v1"
    REKOR_V1_STAMPED = "Rekor v1 and a time-stamping authority"
    REKOR_V2 = "Rekor v2 and a time-stamping authority"

    @property
    def logs(self) -> list[Rekor]:
        """The logs that are offered."""
        return {
            Services.REKOR_V1: [Rekor.V1],
            Services.REKOR_V1_STAMPED: [Rekor.V1],
            Services.REKOR_V2: [Rekor.V2],
        }.get(self, [])

    @property
    def stamps(self) -> bool:
        """Whether an authority is."""
        return self not in {Services.NOBODY, Services.REKOR_V1}


class Cosign:
    """Cosign at one Sigstore, in one folder.

    Attributes:
        sigstore: Mints tokens.
        url: Where it answers.
        folder: For files.
    """

    def __init__(self, sigstore: VirtualSigstore, url: str, folder: Path) -> None:
        self.sigstore = sigstore
        self.url = url
        self.folder = folder
        self._trusted_root = self._write("trusted_root.json", sigstore.trusted_root())

    def attest_blob(
        self,
        blob: Path,
        signer: "Signer",
        services: Services,
        *flags: str | Path,
        old: bool = False,
    ) -> bytes:
        """Return the bundle of an attestation about a file.

        Args:
            blob: The file.
            signer: Who signs.
            services: Who else says so.
            *flags: What is said of it.
            old: In the form of cosign before 3.
        """
        bundle = self.folder / "bundle.json"
        bundle.unlink(missing_ok=True)
        how = self._old(signer, services) if old else self.signing(signer, services)
        self.run(
            "attest-blob",
            *how,
            *flags,
            "--bundle",
            bundle,
            blob,
        ).check()
        return bundle.read_bytes()

    def attest(
        self,
        registry: Registry,
        image: str,
        signer: "Signer",
        services: Services,
        *flags: str | Path,
        old: bool = False,
    ) -> Result:
        """Attest an image in its registry; `old`: as cosign 2 wrote it, beside a tag."""
        how = self._old(signer, services) if old else self.signing(signer, services)
        return self.run("attest", *how, *flags, image, registry=registry).check()

    def signing(self, signer: "Signer", services: Services) -> list[str | Path]:
        """Return the flags that say who signs and who is told."""
        return [
            "--signing-config",
            self._write("signing_config.json", self.signing_config(services)),
            "--trusted-root",
            self._trusted_root,
            *signer.flags,
        ]

    def signing_config(self, services: Services) -> dict[str, Any]:
        """Return a signing config that offers these services, and certificates."""
        config = self.sigstore.signing_config(self.url, logs=services.logs)
        if not services.logs:
            del config["rekorTlogConfig"]
        if not services.stamps:
            config["tsaUrls"] = []
            del config["tsaConfig"]
        return config

    def config(self, services: Services) -> SigstoreConfig:
        """Configure countersign's own client of the same services."""
        root = json.dumps(self.sigstore.trusted_root()).encode()
        offered = json.dumps(self.signing_config(services)).encode()
        return SigstoreConfig(root, offered)

    def verifying(self, signer: "Signer", services: Services) -> list[str | Path]:
        """Return the flags that say what a verifier asks for."""
        flags: list[str | Path] = ["--trusted-root", self._trusted_root]
        if not services.logs:
            flags.append("--insecure-ignore-tlog")
        if services.stamps:
            flags.append("--use-signed-timestamps")
        return [*flags, *signer.trust]

    def run(self, *arguments: str | Path, registry: Registry | None = None) -> Result:
        """Run cosign, quietly, as a user of `registry` if there is one."""
        return cosign(registry, *arguments)

    def _old(self, signer: "Signer", services: Services) -> list[str | Path]:
        flags: list[str | Path] = [
            "--new-bundle-format=false",
            "--use-signing-config=false",
            f"--rekor-url={self.url}",
            f"--fulcio-url={self.url}",
            f"--tlog-upload={str(bool(services.logs)).lower()}",
        ]
        if services.stamps:
            flags.append(f"--timestamp-server-url={self.url}/api/v1/timestamp")
        return [*flags, *signer.flags]

    def _write(self, name: str, document: dict[str, Any]) -> Path:
        file = self.folder / name
        file.write_text(json.dumps(document))
        return file


class Signer:
    """Somebody as cosign's flags name them.

    Attributes:
        flags: To sign.
        trust: To verify.
    """

    def __init__(
        self,
        flags: list[str | Path],
        trust: list[str | Path],
    ) -> None:
        self.flags = flags
        self.trust = trust

    @classmethod
    def key(cls, stem: Path) -> "Signer":
        """By a key pair that cosign made or imported: ``STEM.key`` and ``STEM.pub``."""
        public = stem.with_suffix(".pub")
        return cls(["--key", stem.with_suffix(".key")], ["--key", public])

    @classmethod
    def keyless(cls, at: Cosign, who: str | Workflow, issuer: str) -> "Signer":
        """By a token of `at`'s Sigstore."""
        name = who if isinstance(who, str) else who.file
        token = at.folder / "token"
        token.write_text(at.sigstore.token(who, issuer=issuer))
        return cls(
            ["--identity-token", token],
            [f"--certificate-identity={name}", f"--certificate-oidc-issuer={issuer}"],
        )


def trust(cosign: Cosign, *public: Path) -> TrustRoot:
    """Trust cosign's Sigstore, and public keys in PEM, as ``it``."""
    raw = json.dumps(cosign.sigstore.trusted_root()).encode()
    keys = tuple(TrustedKey(file.stem, file.read_bytes()) for file in public)
    digest = Digest.sha256(raw + repr(keys).encode())
    return TrustRoot(name="it", digest=digest, sigstore=raw, keys=keys)


def proven(bundle: bytes, root: TrustRoot) -> Evidence:
    """Prove a bundle under one root, now.

    Raises:
        Malformed, Rejected: as `BundleProver` does.
    """

    async def prove() -> Evidence:
        mine = prover(root)
        try:
            return await mine.prove(bundle)
        finally:
            mine.close()

    return asyncio.run(prove())


@contextmanager
def running_cosign() -> Iterator[Cosign]:
    """Run a throw-away Sigstore while the block lasts, for cosign to sign at."""
    with place("sigstore") as here:
        keys = here.folder / "keys"
        keys.mkdir()
        log = here.python("sigstore", "-m", "tools.sigstore", "--dir", keys)
        url = until_said(log, "\n").splitlines()[0]
        files = here.folder / "cosign"
        files.mkdir()
        yield Cosign(VirtualSigstore(keys), url, files)
