"""Secrets: what is signed of them are salted digests of their values.

Plans of infrastructure are secrets, too (`plan`). A masked Secret has at its top a ``salt`` and in ``data``, instead of each value, its
HMAC-SHA-256 under that salt; null, which is nobody's secret, stays. So an intent can travel in annotations, statements and
reports: neither a value nor its plain hash appears anywhere outside the Secret.
"""

import hmac
import re

from countersign.binding.plan import PLAN, is_plan
from countersign.binding.scalars import decode_base64
from countersign.binding.tables import kind_key
from countersign.binding.tree import Struct, Value, token
from countersign.core.errors import Malformed
from countersign.core.types.artifacts import Tree

SALT_BYTES = 32
_SECRETS = frozenset({"v1/Secret", PLAN.key})
_SALT = re.compile(rf"[0-9a-f]{{{2 * SALT_BYTES}}}")
_MASKED = re.compile(r"hmac-sha256:[0-9a-f]{64}")


def is_secret(tree: Tree) -> bool:
    """Tell whether an object is a Secret, or a plan: it is signed masked."""
    return kind_key(tree) in _SECRETS


def salt_of(tree: Tree) -> bytes | None:
    """Return the salt of a masked Secret; None for all else.

    Raises:
        Malformed: a Secret that is not, or not wholly, masked.
    """
    if not is_secret(tree):
        return None
    salt, data = tree.get("salt"), tree.get("data") or {}
    if type(salt) is not str or not _SALT.fullmatch(salt) or "stringData" in tree:
        raise Malformed("expected a masked Secret, saw one without a salt")
    if type(data) is not dict or not all(
        value is None or (type(value) is str and _MASKED.fullmatch(value))
        for value in data.values()
    ):
        raise Malformed("expected a masked Secret, saw a value that is not masked")
    return bytes.fromhex(salt)


def masked_part(tree: Tree) -> Struct:
    """Return ``data`` and ``salt`` of a masked Secret; nothing for all else.

    Raises:
        Malformed: there is a salt, but a value is not masked.
    """
    if not is_secret(tree) or "salt" not in tree:
        return {}
    salt_of(tree)
    return {key: tree[key] for key in ("data", "salt") if tree.get(key)}


def mask(secret: Tree, salt: bytes) -> Struct:
    """Return a Secret with its values masked, ``stringData`` merged into ``data``.

    Args:
        secret: As written or as the server shows it, not masked.
        salt: `SALT_BYTES` random bytes; those of the intent to compare with it.

    Raises:
        Malformed: the salt has another length, or a value is no base64.
    """
    if len(salt) != SALT_BYTES:
        raise Malformed(f"expected a salt of {SALT_BYTES} bytes, saw {len(salt)}")
    masked = {k: v for k, v in secret.items() if k not in ("data", "stringData")}
    values = _values(secret)
    if values:
        masked["data"] = {
            k: v if v is None else _digest(salt, k, v) for k, v in values.items()
        }
    return {**masked, "salt": salt.hex()}


def mask_nulls(intent: Tree, salt: bytes) -> Struct:
    """Return a masked Secret with what the server makes of null: the empty value."""
    data: Struct = masked_part(intent).get("data", {})
    values = {k: _digest(salt, k, b"") if v is None else v for k, v in data.items()}
    return {**intent, "data": values} if data else intent


def _values(secret: Tree) -> dict[str, bytes | None]:
    """Return the values by key; ``stringData`` wins, with null as an empty value."""
    data, plain = secret.get("data") or {}, secret.get("stringData") or {}
    if type(data) is not dict or type(plain) is not dict:
        raise Malformed("expected data and stringData to be maps")
    if is_plan(secret):
        return {key: _text(value) for key, value in data.items()}
    values = {
        key: None if value is None else decode_base64(value)
        for key, value in data.items()
    }
    for key, text in plain.items():
        if type(text) is not str and text is not None:
            raise Malformed(f"stringData/{token(key)}: expected a string")
        nothing = text is None and values.get(key) is None
        values[key] = None if nothing else (text or "").encode()
    return values


def _text(value: Value) -> bytes:
    if type(value) is not str:
        raise Malformed("/data: expected the texts of a plan")
    return value.encode()


def _digest(salt: bytes, key: str, value: bytes) -> str:
    """Bind the value to its key: equal values under two keys look different."""
    name = key.encode()
    message = len(name).to_bytes(8) + name + value
    return f"hmac-sha256:{hmac.digest(salt, message, 'sha256').hex()}"
