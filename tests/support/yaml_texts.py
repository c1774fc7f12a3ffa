"""Texts of YAML on which readers disagree: known ones, and made ones, by seed.

Each is the body of a manifest or a stream of its own. A made text strings together
pieces that are each harmless and mostly well formed, and then loses or gains a
character, since the edges are where readers part.
"""

import random
from collections.abc import Iterator

NAME = "NAME"
_HEAD = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {"name": NAME}\n'

# Each stands alone below _HEAD.
BODIES = (
    "a: 1\na: 2",
    "a: {b: 1, b: 1}",
    "8080: a\n1.5: b\ntrue: c",
    "010: a",
    "on: a",
    "y: a\nn: b",
    "~: a",
    "1: a\n'1': b",
    "1.20: a",
    "1000000.5: a",
    "? [a]\n: b",
    "? {a: b}\n: b",
    "?  explicit\n:  key",
    "a: &x {b: c}\nd: *x",
    "a: &x [b]\nd: {<<: *x}",
    "a: &x {b: 1}\nd: {<<: *x, b: 2}",
    "a: &x {b: 1}\nd: {b: 2, <<: *x}",
    "a: &x {b: 1}\nc: &y {b: 2, d: 3}\ne: {<<: [*x, *y]}",
    "a: &x {b: 1}\nc: &y {b: 2}\ne: {<<: *x, <<: *y}",
    "a: &x {b: &x 1}\nc: *x",
    "a: &x {b: *x}",
    "a: &x 1\nb: &x {c: *x}",
    "a: *unknown",
    "a: &x b\n*x : c",
    "a: {'<<': 1}",
    'a: {"<<": {b: 1}}',
    "a: <<",
    "a: !!str 123",
    "a: !!str",
    "a: !!int 3",
    "a: !!float 3",
    "a: !!bool yes",
    "a: !!null x",
    "a: !!binary aGVsbG8=",
    "a: !!set {b, c}",
    "a: !!omap [b: c]",
    "a: !custom b",
    "a: ! 12",
    "a: !<tag:yaml.org,2002:str> 12",
    "a: !!timestamp 2024-01-01",
    "a: 9223372036854775807",
    "a: 9223372036854775808",
    "a: 18446744073709551616",
    "a: -9223372036854775808",
    "a: 9007199254740993",
    "a: 123456789012345678901234567890",
    "a: 0x52908400098527886E0F7030069857D2E4169EE7",
    "a: 12e4567",
    "a: -12e4567",
    "a: .5e999",
    "a: 1.0\nb: 1e3\nc: 1e21\nd: 1e-7\ne: -0\nf: -0.0\ng: 1.5e300",
    "a: .inf",
    "a: -.INF",
    "a: .NaN",
    "a: nan",
    "a: ~\nb:\nc: null\nd: ''\ne: Null",
    "a: |\n  text",
    "a: |+\n  text",
    "a: |-\n  text\n",
    "a: >\n  text\n  more\n\n   less\n",
    "a: |2\n   text\n  more",
    "a: |1\n text",
    "a: |9\n text",
    "a: |\n\ttext",
    "a:\tb",
    "\ta: b",
    "a: b\t# comment",
    "a:\n\t- b",
    "a: 'it''s'\nb: \"\\x41\\u00e9\\U0001F600\\n\\\n  x\"",
    'a: "\\ud83d\\ude00"',
    'a: "\\/"',
    'a: "\\q"',
    'a: "\\0"',
    "a: \x85b",
    "a: |\n  b\u2028c\n  d",
    "a: 'b\u2029c'",
    "a: b\u00a0",
    "a: \ufeffb",
    "a: \x07b",
    "a: 'b\n---\nc: d'",
    "a: 'b\n  --- c'",
    "a: b\r\nc: |\r\n  d\r\n  e\r\n",
    "a: b\rc: d",
    "a: b\n...\n",
    "a: b\n...\nc: d",
    "a: b\n... # x\n",
    "a: @b",
    "a: `b",
    "a: %b",
    "a: b: c",
    "a: http://b:80/c#d",
    "a: b #c",
    "a: b#c",
    "a: [b, c,]",
    "a: [b,, c]",
    "a: [b c, d: e]",
    "a: {b, c}",
    "a: {b: , c: }",
    "a: {b:c}",
    'a: {"b":c}',
    'a: {"b":1,"c":[]}',
    "a: [? b : c]",
    "a: {? b : c}",
    "a: [a:b, ::c]",
    "a: ::b",
    "a: -b",
    "a: - b",
    "a: ?b",
    "a: ? b",
    "a:\n- b\n- c",
    "a:\n- - b\n  - c",
    "a:\n-\n- b",
    "a:\n  b: c\n d: e",
    "a: b\n  c",
    "a: 'b\n\n  c'",
    "a: >-\n\n  b\n\n\n  c\n",
    "a: " + "[" * 40 + "]" * 40,
    "a: " + "x" * 70_000,
    "x" * 1100 + ": a",
    "? " + "x" * 1100 + "\n: a",
    "'" + "x" * 1100 + "': a",
    "a: #b",
    "a: 'b'c",
    'a: "b"c',
    "a: b}",
    "a: }",
    "a: ]b",
    "a: *",
    "a: &",
    "a: & b",
    "a: &x",
    "a: &x\nb: *x",
    "a: &x-1.y b\nc: *x-1.y",
    "a: |x\n  b",
    "a: |  # comment\n  b",
    "a: |#b\n  c",
    "- a",
    "a",
    "items: null",
)

# Streams of their own.
STREAMS = (
    "",
    "\n",
    "# only a comment\n",
    "---\n",
    "---",
    "---\n---\n",
    "...\n",
    "null\n",
    "~",
    "{}",
    "[]",
    f"{_HEAD}---\n{_HEAD}",
    f"---\n{_HEAD}---\n",
    f"--- # c\n{_HEAD}",
    f"---   \n{_HEAD}",
    f"---\t\n{_HEAD}",
    "--- {apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}}",
    f"----\n{_HEAD}",
    f"---#\n{_HEAD}",
    f"{_HEAD}\n--- x\n{_HEAD}",
    f" ---\n{_HEAD}",
    f"%YAML 1.1\n---\n{_HEAD}",
    f"%YAML 1.2\n---\n{_HEAD}",
    f"%TAG ! tag:x,2000:\n---\n{_HEAD}",
    f"---\n%YAML 1.1\n---\n{_HEAD}",
    f"\ufeff{_HEAD}",
    f"{_HEAD}---\n\ufeff{_HEAD}",
    f"\ufeff---\n{_HEAD}",
    f"{_HEAD}\n\ufeffa: b\n",
    f"{_HEAD}a: b\n---\n# empty\n---\nnull\n---\n{_HEAD}",
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":[1.0,1e3,-0]}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":"\\ud83d\\ude00"}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":"\\ud83d"}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":1,"a":2}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":NaN}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":"\t"}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}} # c',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":1e999}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":9007199254740993}',
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"},"a":18446744073709551615}',
    "{apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}, a: 010}",
    "\n\n  {apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}}",
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}}\n' * 2,
    '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}}\n---\n' + _HEAD,
    _HEAD + '---\n{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"NAME"}}',
    "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: NAME}}",
    "apiVersion: v1\nkind: ConfigMapList\nitems:\n- {metadata: {name: NAME}}",
    "apiVersion: v1\nkind: List\nitems: []",
    "apiVersion: v1\nkind: List\nitems:",
    f"{_HEAD}items: []",
    f"{_HEAD}items: [{{apiVersion: v1, kind: ConfigMap, metadata: {{name: NAME}}}}]",
)

_SCALARS = (
    "a", "b c", "1", "08", "1_0", "yes", "~", "'q'", '"\\t"', "12:30:45", "1e3", "*a",
    "&a x", "&a {k: v}", "&b [1]", "*b", "|\n  lit\n", ">-\n  fold\n  ed\n", "[]", "{}",
    "[x, y]", "{x: y}", "!!str 1", "2024-01-01", "0o17", "''", "- x", "x: y", "#c", "1.",
    '"a\\\n   b"', "'a\n\n  b'", "<<", "|+\n  k\n\n", "a\n    b",
)  # fmt: skip
_KEYS = ("a", "b", "'c'", '"d"', "1", "on", "<<", "x y", "? z\n", "8.5", "true", "e:f")
_NOISE = [*" \n\t:-#,[]{}&*!|>'\"%@`?~0", "\r\n", "\n---\n", "\n...\n", "\x85"]


def bodies(seed: int, count: int) -> Iterator[str]:
    """Yield `count` made bodies."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(count):
        text = _mapping(chance, 0)
        for _ in range(chance.choice([0, 0, 1, 1, 2])):
            at = chance.randrange(len(text) + 1)
            noise = chance.choice([*_NOISE, ""])
            text = text[:at] + noise + text[at + chance.randint(0, 1) :]
        yield text


def words(seed: int, count: int) -> Iterator[str]:
    """Yield `count` strings that a writer of YAML has to take care of."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    for _ in range(count):
        yield "".join(chance.choices([*_SCALARS, *_NOISE, "\u2028", "é"], k=3))


def named(text: str, name: str) -> str:
    """Give the objects of a text a name, by which they are found again."""
    return text.replace(NAME, name)


def stream(body: str) -> str:
    """Return a manifest with `body` behind its head."""
    return _HEAD + body


def _mapping(chance: random.Random, indent: int) -> str:
    return "".join(
        f"{' ' * indent}{chance.choice(_KEYS)}: {_value(chance, indent)}\n"
        for _ in range(chance.randint(1, 4))
    )


def _value(chance: random.Random, indent: int) -> str:
    kind = chance.random()
    if kind < 0.2 and indent < 6:
        return "\n" + _mapping(chance, indent + 2).rstrip("\n")
    if kind < 0.35:
        pad = " " * indent
        items = (_value(chance, indent + 2) for _ in range(chance.randint(1, 3)))
        return "".join(f"\n{pad}- {item}" for item in items)
    return chance.choice(_SCALARS).replace("\n", "\n" + " " * indent)
