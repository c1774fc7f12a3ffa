"""The script that git runs to record who helped: `hook.sh`, with what is known filled in.

It stands alone: no commit waits for an interpreter to start, and a clone works where
countersign was never installed, or is no more. What it knows is what was known when it
was written.
"""

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

from countersign.provenance.environment import Surroundings, known_surroundings
from countersign.provenance.registry import Agent, Registry, known_agents
from countersign.provenance.trailers import CLAIMS, NAMING, NEGATIVE

HOOKS = ("commit-msg", "post-commit", "prepare-commit-msg")
SHOW = "show"  # no hook: prints what would be recorded
KEPT = "countersign-kept"  # what the hook that was there before is called meanwhile
MARKER = "countersign hooks"  # stands in the second line of every such script
NOTES = "refs/notes/ai"
# By a commit that was stopped.
LEFT_BEHIND = ("countersign-before", "countersign-picked")

_AUTHOR = "@author"  # stands before who wrote a commit, beside what its message says


@cache
def hook_script(hook: str) -> str:
    """Return the script of one of `HOOKS`, or that of `SHOW`."""
    registry, surroundings = known_agents(), known_surroundings()
    text = (resources.files("countersign.provenance") / "hook.sh").read_text("utf-8")
    filled = {
        "HOOK": hook,
        "KEPT": KEPT,
        "SHOW": SHOW,
        "MARKER": MARKER,
        "NOTES": NOTES,
        "PLAIN": "|".join(sorted(CLAIMS)),
        "NEGATIVE": "|".join(
            word.replace("/", r"\/") for word in sorted(NEGATIVE - {""})
        ),
        "NAMING": "|".join((_AUTHOR, *sorted(NAMING))),
        "KEYS": "|".join(_keys(registry)),
        "ADDRESSES": "|".join(_addresses(registry)),
        "TEXTS": _lines(" " * 12, (t for a in registry.agents for t in _texts(a))),
        "TOOLS": _lines(" " * 4, (line for s in surroundings for line in _tools(s))),
        "NAMES": _lines(" " * 4, (_names(agent) for agent in registry.agents)),
        "PROCESSES": _lines(" " * 8, _processes(surroundings)),
    }
    return re.sub("@([A-Z]+)@", lambda found: filled[found[1]], text)


def is_ours(script: bytes) -> bool:
    """Tell whether `script` is such a script, of this or of another edition."""
    head = script[:200].split(b"\n")
    return len(head) > 1 and head[1].startswith(f"# {MARKER}:".encode())


def _lines(indent: str, lines: Iterable[str]) -> str:
    return "\n".join(indent + line for line in lines)


def _keys(registry: Registry) -> Iterable[str]:
    yield from sorted(CLAIMS)
    for agent in registry.agents:
        yield from agent.trailers
        yield from (f"{prefix}[a-z0-9-]*" for prefix in agent.trailer_prefixes)


def _addresses(registry: Registry) -> Iterable[str]:
    numbers = sorted(number for agent in registry.agents for number in agent.ids)
    numbered = "|".join(map(str, numbers))
    yield rf"({numbered})\+[^@ ]*@users\.noreply\.github\.com"
    yield from (_literal(mail) for a in registry.agents for mail in a.emails)


def _texts(agent: Agent) -> Iterable[str]:
    said = f'say("AI-Assisted: {agent.name}")'
    for text in agent.texts:
        yield (
            r"low ~ /(authored|created|generated|written) (by|using|with) "
            rf"\[?{_literal(text)}([^a-z0-9_-]|$)/ {{ {said} }}"
        )
    for suffix in agent.suffixes:
        yield rf"low ~ /^{_AUTHOR}: .*{_literal(suffix)} </ {{ {said} }}"


def _tools(seen: Surroundings) -> Iterable[str]:
    # the first that is set: ${A-${B-}}
    model = ""
    for name in reversed(seen.models):
        model = f"${{{name}-{model}}}"
    if seen.variables:
        values = " ".join(f'"${{{name}-}}"' for name in seen.variables)
        yield f'tool {seen.agent} "{model}" {values}'
    for name, part in seen.values:
        yield f'case ${{{name}-}} in *{part}*) mark {seen.agent} "{model}" ;; esac'


def _names(agent: Agent) -> str:
    words = [agent.name, *(word for word in agent.aliases if " " not in word)]
    return f"{' | '.join(words)}) mark {agent.name} '' ;;"


def _processes(surroundings: Iterable[Surroundings]) -> Iterable[str]:
    for seen in surroundings:
        if seen.processes:
            model = f"${{{seen.models[0]}-}}" if seen.models else ""
            yield f'{" | ".join(seen.processes)}) mark {seen.agent} "{model}" ;;'


def _literal(text: str) -> str:
    """Return a pattern of awk's that finds `text`, which is in lower case."""
    return re.sub(r"([^a-z0-9 @-])", r"\\\1", text.lower())
