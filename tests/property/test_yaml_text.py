"""What is written as YAML is read back as it was, by our reader.

Faults this was seen to catch: every printable string bare; only ``on`` and ``no`` bare.
"""

from hypothesis import given
from hypothesis import strategies as st

from countersign.core.types.artifacts import Json, Tree
from countersign.wire.manifests import parse_manifests
from countersign.wire.yaml_text import render_yaml

WORDS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        ["on", "NO", "y", "1e3", "0o7", "12:30:45", "2024-01-01", ".inf", "~", "", "<<"]
    ),
    st.from_regex(r"[ \t]*[a-z\n]{0,6}[ \n]*", fullmatch=True),
    st.text("ab c", min_size=200, max_size=300),
)
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.one_of(
        WORDS,
        st.none(),
        st.booleans(),
        st.integers(-(2**53), 2**53),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(WORDS, inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(WORDS, VALUES, min_size=1, max_size=3), max_size=3))
def test_reads_back_what_it_wrote(documents: list[Tree]) -> None:
    """Whatever the strings look like."""
    plain: list[Tree] = [{"kind": "Thing", "it": one} for one in documents]
    text = render_yaml(plain)

    assert list(parse_manifests(text.encode())) == plain
