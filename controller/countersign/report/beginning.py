"""The first files of somebody who begins: a trust root, a roster, a policy that only looks.

Written as text, not rendered from values: the comments are half of what it is for.
Values are put in as quoted strings, whatever is in them.
"""

import json
from dataclasses import dataclass
from textwrap import indent

_HEAD = (
    "apiVersion: countersign.dev/v1alpha1\nkind: {kind}\nmetadata:\n  name: {name}\n"
)

_KEYS = """\
# Whom to believe that a signature is theirs. Add the public key of everybody who signs,
# or a trusted_root.json of a Sigstore under spec.sigstore (as in --trusted-root).
# Applied with the others: kubectl apply -f .
{head}spec:
  keys:
  - name: {key}  # the roster refers to it
    type: pem
    pem: |
{pem}"""

_SIGSTORE = """\
# Whom to believe that a signature is theirs: this Sigstore. A key is another way: add
# {{name, type: pem, pem}} under spec.keys.
{head}spec:
  sigstore: {sigstore}
"""

_ROSTER = """\
# Who is who: how they sign, by which names git and Kubernetes know them, their roles.
# People leave by valid.until, not by being taken out: what they signed stays explicable.
{head}spec:
  persons:
  - id: {id}
    name: {person}
    identities:
    - {identity}
    aliases:
      git: [{email}]  # every address that their commits carry
      kubernetes: []  # their user names in the cluster (kubectl auth whoami)
    roles:
    - name: senior  # may fill a slot of that name in a policy
  # A second person, since nobody approves what they made or deploy themselves:
  # - id: dana
  #   name: Dana Lee
  #   identities: [{{key: dana, trustRoot: {trust}}}]
  #   aliases: {{git: ["dana@example.com"], kubernetes: ["dana@example.com"]}}
  #   roles: [{{name: senior}}]
"""

_POLICY = """\
# What is asked, and where. In audit mode nothing is denied: the webhook's metrics and the
# cluster's audit log show what would have been.
{head}spec:
  protect:
    namespaces: {namespaces}  # exact names, or patterns such as "ledger-*"
  enforcement: audit  # then warn, then deny
  roster: {roster}
  # manual: a senior who does not deploy it himself signs every change.
  # Change it to `default` once CI attests how changes are made: then people's own work
  # may pass by their declaration, and what AI had a hand in needs a senior who did not
  # make it. It wants to know whose word about that counts:
  preset: manual
  # provenance:
  #   collectors:
  #   - name: ci
  #     issuer: https://token.actions.githubusercontent.com
  #     san: https://github.com/ORG/ci/.github/workflows/provenance.yml@refs/heads/main
  #     sourceRepositories: [https://github.com/ORG/REPO]
  #   baselines:  # history up to here is taken as approved
  #   - {{repo: https://github.com/ORG/REPO, commit: 40 hex digits}}
  # images:
  #   thirdParty: [{{repository: "registry.k8s.io/*"}}]  # images that nobody here builds
  # breakGlass: {{role: on-call, maxValidity: 4h, reviewWithin: 72h}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginner:
    """The first person of a roster.

    Attributes:
        id: Short, as a Kubernetes name may be.
        name: For people.
        email: As in git.
        pem: Public key; ``""``: signs keyless.
        sigstore: Content of a ``trusted_root.json``; ``""``: signs with a key.
        issuer, san: Of the certificate, for keyless.
    """

    id: str
    name: str
    email: str
    pem: str = ""
    sigstore: str = ""
    issuer: str = ""
    san: str = ""


def beginning(first: Beginner, namespaces: tuple[str, ...]) -> dict[str, str]:
    """Return the content of each file, by name.

    Args:
        first: Who is on the roster.
        namespaces: What is protected; not empty.
    """
    trust = "keys" if first.pem else "sigstore"
    return {
        "trust-root.yaml": _trust_root(first, trust),
        "roster.yaml": _ROSTER.format(
            head=_head("Roster", "platform"),
            id=_quoted(first.id),
            person=_quoted(first.name),
            identity=_identity(first, trust),
            email=_quoted(first.email),
            trust=trust,
        ),
        "policy.yaml": _POLICY.format(
            head=_head("ProtectionPolicy", "first"),
            namespaces=json.dumps(namespaces),
            roster="platform",
        ),
    }


def _trust_root(first: Beginner, name: str) -> str:
    head = _head("TrustRoot", name)
    if not first.pem:
        return _SIGSTORE.format(head=head, sigstore=first.sigstore.strip())
    return _KEYS.format(
        head=head, key=_quoted(first.id), pem=indent(first.pem.strip() + "\n", " " * 6)
    )


def _identity(first: Beginner, trust: str) -> str:
    if first.pem:
        return f"{{key: {_quoted(first.id)}, trustRoot: {trust}}}"
    issuer, san = _quoted(first.issuer), _quoted(first.san)
    return f"{{issuer: {issuer}, san: {san}, trustRoot: {trust}}}"


def _head(kind: str, name: str) -> str:
    return _HEAD.format(kind=kind, name=name)


def _quoted(text: str) -> str:
    """Write text as YAML's double-quoted scalar, which is JSON's but for surrogates."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in plain)
