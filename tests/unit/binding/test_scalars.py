"""One value, one spelling."""

import pytest

from countersign.binding.scalars import SCALARS, nanos, quantity_text
from countersign.core.errors import Malformed

NANO = 10**9


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", 0),
        ("1", NANO),
        ("+1", NANO),
        ("-1.5", -3 * NANO // 2),
        ("100m", NANO // 10),
        (0.1, NANO // 10),
        (2, 2 * NANO),
        ("1k", 1000 * NANO),
        ("1Ki", 1024 * NANO),
        ("1.5Gi", 3 * 2**29 * NANO),
        ("1e3", 1000 * NANO),
        ("1E3", 1000 * NANO),
        ("1E", 10**18 * NANO),
        ("12E-1", 12 * NANO // 10),
        (".5", NANO // 2),
        ("5.", 5 * NANO),
        (" 1 ", NANO),
        ("1n", 1),
        ("0.1n", 1),
        ("-0.1n", -1),
        ("100Ei", (2**63 - 1) * NANO),
    ],
)
def test_quantities_are_numbers(text: object, amount: int) -> None:
    """As ParseQuantity reads them: rounded away from zero, binary ones capped."""
    assert nanos(text) == amount


@pytest.mark.parametrize(
    "text",
    ["", ".", "1 Gi", "1gi", "0x1", "1e", "1_0", "--1", "1e9999", True, None, []],
)
def test_refuses_what_is_no_quantity(text: object) -> None:
    """The server would have, too."""
    with pytest.raises(Malformed):
        nanos(text)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0"),
        (NANO, "1"),
        (3 * NANO // 2, "1500m"),
        (2**27 * NANO, "128Mi"),
        (1500 * NANO, "1500"),
        (10**6 * NANO, "1M"),
        (-(2**30) * NANO, "-1Gi"),
    ],
)
def test_writes_the_shortest_spelling(amount: int, text: str) -> None:
    """People read it in denials."""
    assert quantity_text(amount) == text
    assert nanos(text) == amount


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("int", 1.0, 1),
        ("intOrString", "80", "80"),
        ("intOrString", 80, 80),
        ("milliQuantity", "0.0001", "1m"),
        ("milliQuantity", "-0.0001", "-1m"),
        ("quantity", "0.0001", "100u"),
        ("bytes", "eA=\r\n=", "eA=="),
        ("bytes", "eB==", "eA=="),
        ("time", "2026-01-01T02:00:00.5+02:00", "2026-01-01T00:00:00+00:00"),
        (
            "microTime",
            "2026-01-01T02:00:00.5+02:00",
            "2026-01-01T00:00:00.500000+00:00",
        ),
        ("float", 1, 1),
        ("float", 1.0, 1),
        ("float", 0.5, 0.5),
        ("float", 2**63 - 1, 2**63),
        ("any", {"a": None}, {"a": None}),
    ],
)
def test_has_one_spelling(name: str, value: object, form: object) -> None:
    """What Go's decoder takes for one value."""
    assert SCALARS[name](value) == form


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("int", True),
        ("int", "1"),
        ("int", 1.5),
        ("intOrString", True),
        ("bool", 0),
        ("string", 1),
        ("bytes", "eA"),
        ("bytes", "e A=="),
        ("bytes", 1),
        ("time", "2026-01-01T00:00:00"),
        ("time", "yesterday"),
        ("time", 0),
        ("microTime", "2026-01-01T00:00:00.000000"),
        ("float", True),
        ("float", "1"),
        ("float", 10**400),
    ],
)
def test_refuses_another_type(name: str, value: object) -> None:
    """True is not 1, and a text is no number."""
    with pytest.raises(Malformed):
        SCALARS[name](value)
