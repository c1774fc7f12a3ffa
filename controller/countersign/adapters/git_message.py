"""What a commit says, from its own bytes.

libgit2, and git itself, stop at the first NUL, and read the rest in whatever encoding
the committer names: both hide from a reader what others see.
"""

import codecs

import pygit2

# Python's own, which no charset of a message is; some take forever, or warn.
_NO_CHARSETS = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"}


def message_of(commit: pygit2.Commit) -> str:
    """Return the message in full: in the encoding it names, and as UTF-8 besides.

    Both where they differ, the former first: a mark that either shows is a mark. A NUL
    ends a line. Undecodable bytes are replaced.
    """
    _, _, raw = commit.read_raw().partition(b"\n\n")
    raw = raw.replace(b"\0", b"\n")
    plain = raw.decode(errors="replace")
    named = _decoded(raw, commit.message_encoding)
    return plain if named in {None, plain} else f"{named}\n{plain}"


def _decoded(raw: bytes, encoding: str | None) -> str | None:
    """Read `raw` in the encoding of that name; None: there is none such."""
    try:
        known = codecs.lookup(encoding) if encoding else None
        if known is None or known.name in _NO_CHARSETS:
            return None
        return raw.decode(known.name, errors="replace")
    except (LookupError, ValueError):
        return None
