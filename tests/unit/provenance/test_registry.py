"""The registry of assistants as data."""

from collections import Counter

import pytest

from countersign.provenance.registry import (
    EDITION_DIGEST,
    Agent,
    Registry,
    known_agents,
)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("noreply@anthropic.com", "claude"),
        ("NoReply@Anthropic.COM ", "claude"),
        ("209825114+claude[bot]@users.noreply.github.com", "claude"),
        ("209825114+renamed-since@users.noreply.github.com", "claude"),
        ("198982749+Copilot@users.noreply.github.com", "copilot"),
        ("noreply@codeium.com", "windsurf"),
    ],
)
def test_knows_addresses_and_numeric_ids(address: str, name: str) -> None:
    """An account is its number, whatever it calls itself now."""
    agent = known_agents().by_address(address)

    assert agent is not None
    assert agent.name == name


@pytest.mark.parametrize(
    "address",
    [
        "1+claude[bot]@users.noreply.github.com",
        "claude[bot]@users.noreply.github.com",
        "209825114+claude[bot]@users.noreply.github.com.evil.example",
        "noreply@anthropic.com.evil.example",
        "",
    ],
)
def test_knows_nobody_by_likeness(address: str) -> None:
    """A likeness is not an identity."""
    assert known_agents().by_address(address) is None


def test_no_mark_belongs_to_two_assistants() -> None:
    """Otherwise the order of files would decide whose it is."""
    agents = known_agents().agents
    for marks in (
        [number for a in agents for number in a.ids],
        [email for a in agents for email in a.emails],
        [word for a in agents for word in {a.name, a.title.lower(), *a.aliases}],
        [key for a in agents for key in (*a.trailers, *a.trailer_prefixes)],
        [branch for a in agents for branch in a.branches],
    ):
        assert [m for m, count in Counter(marks).items() if count > 1] == []


def test_its_digest_is_of_its_content() -> None:
    """The same assistants give the same digest in any order; another id another one."""
    one, two = Agent(name="a", title="A", ids=(1,)), Agent(name="b", title="B")
    other = Agent(name="a", title="A", ids=(2,))

    assert Registry((one, two)).digest == Registry((two, one)).digest
    assert Registry((one, two)).digest != Registry((other, two)).digest


def test_every_assistant_can_be_recognised() -> None:
    """A file without any mark would be dead weight."""
    for agent in known_agents().agents:
        assert (
            agent.ids
            or agent.emails
            or agent.trailers
            or agent.trailer_prefixes
            or agent.branches
        ), agent.name


def test_an_edition_is_its_data() -> None:
    """Whoever changes an assistant's file names a new edition, and its digest."""
    assert known_agents().digest.value == EDITION_DIGEST
