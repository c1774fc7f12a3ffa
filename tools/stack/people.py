"""The persons of the demo, and the Roster that knows them."""

from dataclasses import dataclass

DOMAIN = "acme.example"
REPOSITORY = f"https://git.{DOMAIN}/acme/payments"
WORKFLOW = (
    f"https://git.{DOMAIN}/acme/ci/.github/workflows/provenance.yml@refs/heads/main"
)

ROBOT = f"versions@{DOMAIN}"  # its address in git
ROBOT_WORKFLOW = (
    f"https://git.{DOMAIN}/acme/ci/.github/workflows/versions.yml@refs/heads/main"
)
ROBOT_PATHS = ("charts/*/values.yaml",)


@dataclass(frozen=True, slots=True)
class Someone:
    """A person (or the CI system) of the demo.

    Attributes:
        id: Short name: the person's id, Kubernetes user and file name.
        name: As git and the roster show it.
        roles: In the roster; empty for the CI system, who is no person.
        groups: Kubernetes groups.
    """

    id: str
    name: str
    roles: tuple[str, ...]
    groups: tuple[str, ...]

    @property
    def email(self) -> str:
        """The address in git and in the identity token."""
        return f"{self.id}@{DOMAIN}"


SIGNERS = "countersign-signers"
DEVELOPERS = "countersign-developers"

DANA = Someone("dana", "Dana Lindqvist", ("senior",), (SIGNERS,))
RAVI = Someone("ravi", "Ravi Menon", ("senior", "service-owner"), (SIGNERS,))
LEE = Someone("lee", "Lee Park", ("developer",), (DEVELOPERS,))
OMAR = Someone("omar", "Omar Haddad", ("on-call",), (SIGNERS,))
ADA = Someone("ada", "Ada Brandt", ("policy-admin", "roster-admin"), (SIGNERS,))
CI = Someone("ci", "CI", (), (DEVELOPERS,))

PERSONS = (DANA, RAVI, LEE, OMAR, ADA)
EVERYONE = (*PERSONS, CI)


def roster(issuer: str) -> dict[str, object]:
    """Return the Roster ``platform``.

    Args:
        issuer: Of the identity tokens of the throw-away Sigstore.
    """
    return {
        "apiVersion": "countersign.dev/v1alpha1",
        "kind": "Roster",
        "metadata": {"name": "platform"},
        "spec": {
            "persons": [
                {
                    "id": someone.id,
                    "name": someone.name,
                    "identities": [
                        {
                            "issuer": issuer,
                            "san": someone.email,
                            "trustRoot": "local",
                        },
                        {"key": someone.id, "trustRoot": "local-keys"},
                    ],
                    "aliases": {
                        "git": [someone.email],
                        "kubernetes": [someone.id],
                    },
                    "roles": [{"name": role} for role in someone.roles],
                }
                for someone in PERSONS
            ]
        },
    }
