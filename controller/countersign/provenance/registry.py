"""Which assistants are known, and by what marks: the data in `provenance.agents`.

An assistant is recognised by an address or a numeric account id, never by a display
name: names are free for anyone to choose.
"""

import re
import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources

import rfc8785

from countersign.core.types.artifacts import Digest

# An edition is its data: who changes one file of `agents` names a new edition here, with
# its digest, so that a statement always tells what its collector could recognise.
EDITION = "2026-11"
EDITION_DIGEST = "a1d1b99e6ac963127ec12caa314c4b36ff989ea15901d6a284fef30e454a2db2"
URI = f"https://countersign.dev/registry/agents-{EDITION}.json"

_NOREPLY = re.compile(r"([0-9]{1,20})\+[^@\s]*@users\.noreply\.github\.com")


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One assistant; the fields are explained in `provenance.agents`.

    Attributes:
        name: Canonical name, the name of its file.
        trailers: In lower case.
    """

    name: str
    title: str
    ids: tuple[int, ...] = ()
    emails: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    trailers: tuple[str, ...] = ()
    trailer_prefixes: tuple[str, ...] = ()
    branches: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()


class Registry:
    """The known assistants, indexed by what identifies them.

    Attributes:
        uri: Names this edition.
        agents: Sorted by name.
        digest: SHA-256 of the RFC 8785 JSON of all of them: what a statement pins.
    """

    def __init__(self, agents: tuple[Agent, ...], uri: str = URI) -> None:
        self.uri = uri
        self.agents = tuple(sorted(agents, key=lambda agent: agent.name))
        self.digest = Digest.sha256(
            rfc8785.dumps([_plain(agent) for agent in self.agents])
        )
        self._by_id = {number: a for a in self.agents for number in a.ids}
        self._by_email = {email: a for a in self.agents for email in a.emails}
        self._by_trailer = {key: a for a in self.agents for key in a.trailers}
        self._by_word = {
            word.lower(): a
            for a in self.agents
            for word in (a.title, *a.aliases, a.name)
        }
        self._by_text = {text.lower(): a for a in self.agents for text in a.texts}

    def by_address(self, email: str) -> Agent | None:
        """Return the assistant that owns `email`, in any case, or None."""
        address = email.strip().lower()
        if numbered := _NOREPLY.fullmatch(address):
            return self._by_id.get(int(numbered[1]))
        return self._by_email.get(address)

    def by_trailer(self, key: str) -> Agent | None:
        """Return the assistant whose sessions write the trailer `key`, or None."""
        lower = key.lower()
        if agent := self._by_trailer.get(lower):
            return agent
        return next(
            (a for a in self.agents if lower.startswith(a.trailer_prefixes)), None
        )

    def by_word(self, word: str) -> Agent | None:
        """Return the assistant that a trailer's value calls `word`, or None."""
        return self._by_word.get(word.strip().lower())

    def by_text(self, text: str) -> Agent | None:
        """Return the assistant that "Generated with `text`" names, or None."""
        return self._by_text.get(text.strip().lower())

    def by_branch(self, branch: str) -> Agent | None:
        """Return the assistant that opens branches named like `branch`, or None."""
        lower = branch.lower()
        return next((a for a in self.agents if lower.startswith(a.branches)), None)

    def by_suffix(self, name: str) -> Agent | None:
        """Return the assistant that marks an author's or committer's `name`."""
        lower = name.strip().lower()
        return next(
            (a for a in self.agents if a.suffixes and lower.endswith(a.suffixes)), None
        )


@cache
def known_agents() -> Registry:
    """Return the registry that ships with countersign."""
    folder = resources.files("countersign.provenance.agents")
    return Registry(
        tuple(
            _read(entry.name.removesuffix(".toml"), entry.read_text("utf-8"))
            for entry in folder.iterdir()
            if entry.name.endswith(".toml")
        )
    )


def _read(name: str, text: str) -> Agent:
    fields = tomllib.loads(text)
    fields.pop("environment", None)  # read by `provenance.environment`
    title, ids = fields.pop("title"), fields.pop("ids", ())
    lowered = {key: tuple(v.lower() for v in values) for key, values in fields.items()}
    return Agent(name=name, title=title, ids=tuple(ids), **lowered)


def _plain(agent: Agent) -> dict[str, str | list[str] | list[int]]:
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in asdict(agent).items()
    }
