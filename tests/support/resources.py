"""Objects of our kinds as the API server would hand them out, ready to be spoilt."""

import base64
import gzip
import hashlib
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from countersign.core.questions import DEFAULT

API_VERSION = "countersign.dev/v1alpha1"
REPOSITORY = "https://git.acme.example/acme/payments"
WORKFLOW = "https://git.acme.example/acme/ci/provenance.yml@refs/heads/main"
BUILD = "https://git.acme.example/acme/ci/build.yml@refs/heads/main"
ISSUER = "https://token.acme.example"


def stored(kind: str, name: str, spec: Any) -> dict[str, Any]:
    """Return an object of ours."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "uid": f"uid-of-{name}", "generation": 1},
        "spec": spec,
    }


def collector(**fields: Any) -> dict[str, Any]:
    """Return a collector that is a CI system's certificate."""
    return {
        "name": "ci",
        "issuer": ISSUER,
        "san": WORKFLOW,
        "trustRoot": "public-good",
        "sourceRepositories": [REPOSITORY],
        **fields,
    }


def policy(name: str = "payments", **spec: Any) -> dict[str, Any]:
    """Return the first policy anyone writes; `spec` replaces or adds fields."""
    return stored(
        "ProtectionPolicy",
        name,
        {
            "protect": {"namespaces": ["payments"]},
            "preset": "default",
            "roster": "platform",
            "provenance": {"collectors": [collector()]},
            **spec,
        },
    )


def robot(**fields: Any) -> dict[str, Any]:
    """Return a robot of a workflow of its own, which raises versions in charts."""
    return {
        "name": "versions",
        "issuer": ISSUER,
        "san": f"{REPOSITORY}/.github/workflows/versions.yml@refs/heads/main",
        "sourceRepositories": [REPOSITORY],
        "authors": ["versions@acme.example"],
        "paths": ["charts/*/values.yaml"],
        **fields,
    }


def operator(**fields: Any) -> dict[str, Any]:
    """Return an operator that runs in ``ledger-operators`` and makes Secrets."""
    return {
        "user": "system:serviceaccount:ledger-operators:issuer",
        "own": [
            {
                "group": "networking.k8s.io",
                "kind": "Ingress",
                "paths": ["/metadata/annotations/issuer.example~1state"],
            }
        ],
        "children": [
            {
                "group": "acme.example",
                "kind": "Grant",
                "owner": {"group": "issuer.example", "version": "v1", "kind": "Order"},
                "link": "annotation",
                "key": "issuer.example/order",
                "fields": {
                    "derive": [{"from": "/spec/holder", "to": "/spec/for"}],
                    "free": ["/spec/value"],
                },
            }
        ],
        **fields,
    }


def full_policy() -> dict[str, Any]:
    """Return a policy that says everything this version can honour, but `ai`.

    Its preset says the opposite of the default preset's where the policy is silent.
    """
    return policy(
        protect={
            "namespaces": ["payments", "ledger-*"],
            "exclude": [{"group": "coordination.k8s.io", "kind": "Lease"}],
            "clusterScoped": [
                {"group": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
            ],
        },
        enforcement="warn",
        preset="ban",
        provenance={
            "collectors": [
                collector(
                    trustRoot="corp",
                    refs=["refs/heads/main"],
                    triggers=["push"],
                    runnerEnvironments=["github-hosted"],
                ),
                {"name": "ci-key", "key": "ci", "trustRoot": "local-keys"},
            ],
            "builders": [collector(name="build", san=BUILD, trustRoot="corp")],
            "knownAuthors": ["*@acme.example"],
            "baselines": [{"repo": REPOSITORY, "commit": "a" * 40}],
            "human": "signOff",
            "unknown": "signOff",
            "declarations": {"roles": ["developer"]},
            "robots": [
                robot(
                    trustRoot="corp",
                    refs=["refs/heads/main"],
                    triggers=["push"],
                    runnerEnvironments=["github-hosted"],
                ),
                {
                    "key": "locks",
                    "trustRoot": "local-keys",
                    "authors": ["locks@acme.example"],
                    "paths": ["**/*.lock"],
                },
            ],
            "bannedAgents": ["some-tool"],
        },
        signOff={
            "slots": [
                {
                    "role": "senior",
                    "independentOf": ["author", "prompter"],
                    "meaning": ["approval"],
                },
                {"role": "service-owner", "independentOf": ["senior"]},
            ],
            "presence": "touch",
            "trustedTime": "required",
            "questionSet": {
                "uri": DEFAULT.uri,
                "digest": {"sha256": DEFAULT.digest.value},
            },
            "traceability": [{"type": "TICKET", "pattern": "^PAY-[0-9]+$"}],
            "maxValidity": "14d",
            "maxRestore": "12h",
            "base": "exact",
        },
        images={
            "attestations": "off",
            "pinning": "off",
            "registries": ["ghcr.io/acme/*", "docker.io/acme/payments"],
            "subject": "allPlatforms",
            "paths": [
                {
                    "group": "shop.example",
                    "kind": "Widget",
                    "paths": ["/spec/image", "/spec/parts/*/template/spec"],
                }
            ],
            "thirdParty": [
                {
                    "repository": "registry.k8s.io/*",
                    "digests": [f"sha256:{'b' * 64}"],
                }
            ],
        },
        conversion={"trusted": [{"group": "shop.example", "kind": "Widget"}]},
        exceptions={
            "restart": {"allowGroups": ["restarters"]},
            "scale": {"allowGroups": ["scalers"]},
            "tools": {"helm": {}},
            "controllers": [operator()],
        },
        breakGlass={"role": "on-call", "maxValidity": "4h", "reviewWithin": "72h"},
    )


def person(id_: str = "dana", **fields: Any) -> dict[str, Any]:
    """Return a roster's entry."""
    return {
        "id": id_,
        "name": id_.title(),
        "identities": [
            {"issuer": ISSUER, "san": f"{id_}@acme.example"},
            {"key": id_, "trustRoot": "local-keys"},
        ],
        "aliases": {"git": [f"{id_}@acme.example"], "kubernetes": [id_]},
        "roles": [{"name": "senior"}],
        **fields,
    }


def roster(*persons: dict[str, Any], name: str = "platform") -> dict[str, Any]:
    """Return a Roster, of one person unless more are given."""
    return stored("Roster", name, {"persons": list(persons or (person(),))})


def public_pem() -> str:
    """Return a new public key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1()).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def trust_root(name: str = "local-keys", **spec: Any) -> dict[str, Any]:
    """Return a TrustRoot with one key, unless `spec` says otherwise."""
    keys = [{"name": "ci", "type": "pem", "pem": public_pem()}]
    return stored("TrustRoot", name, spec or {"keys": keys})


def sigstore_root(name: str = "public-good") -> dict[str, Any]:
    """Return a TrustRoot of the sigstore kind that trusts nobody."""
    material = {
        "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
    }
    return stored("TrustRoot", name, {"sigstore": material})


def revocation(*entries: dict[str, Any], name: str = "lost") -> dict[str, Any]:
    """Return a Revocation."""
    return stored("Revocation", name, {"entries": list(entries)})


def packed(plain: bytes, **fields: Any) -> dict[str, Any]:
    """Return an entry of a BundleSet."""
    return {
        "digest": {"sha256": hashlib.sha256(plain).hexdigest()},
        "data": base64.b64encode(gzip.compress(plain)).decode(),
        **fields,
    }


def bundle_set(*bundles: dict[str, Any], **spec: Any) -> dict[str, Any]:
    """Return a BundleSet, named by what is in it."""
    content = {"bundles": list(bundles), **spec}
    mark = hashlib.sha256(rfc8785.dumps(content)).hexdigest()[:32]
    return stored("BundleSet", f"evidence-{mark}", content)
