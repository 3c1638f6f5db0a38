"""What user data are wrapped in: gzip and base64, in any order and number."""

from __future__ import annotations

import base64
import binascii
import zlib

from ._errors import ImdsError

#: Largest result: user data have 16 KiB at most, and gzip packs at most 1:1032.
LARGEST = 17 * 1024 * 1024
#: Most layers that are undone.
DEEPEST = 4
_GZIP = b"\x1f\x8b"
_FORMS = (_GZIP, b"#", b"{", b"[", b"<", b"MIME-Version", b"Content-Type")
_ALPHABET = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")


def unwrapped(data: bytes) -> bytes:
    """Return user data without gzip and base64."""
    for _ in range(DEEPEST):
        if data.startswith(_GZIP):
            data = _gunzipped(data)
            continue
        decoded = _from_base64(data)
        if decoded is None:
            break
        data = decoded
    return data


def _gunzipped(data: bytes) -> bytes:
    result = b""
    try:
        # Members of one file stand one after the other.
        while data.startswith(_GZIP):
            member = zlib.decompressobj(wbits=31)
            result += member.decompress(data, LARGEST + 1 - len(result))
            if len(result) > LARGEST:
                raise ImdsError("the user data are larger than 17 MiB when unpacked")
            if not member.eof:
                raise ImdsError("the user data are broken gzip")
            data = member.unused_data
    except zlib.error:
        raise ImdsError("the user data are broken gzip") from None
    return result


def _from_base64(data: bytes) -> bytes | None:
    """Return the data decoded if all of them are base64 and what comes out is a form that user
    data have: a short word such as ``true`` is base64 too, but stands for itself."""
    compact = b"".join(data.split())
    if not compact or not _ALPHABET.issuperset(compact):
        return None
    bare = compact.rstrip(b"=")
    try:
        decoded = base64.b64decode(bare + b"=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    is_form = decoded.startswith(_FORMS) or (len(decoded) >= 12 and _is_text(decoded))
    return decoded if is_form else None


def _is_text(data: bytes) -> bool:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return False
    return all(character.isprintable() or character.isspace() for character in text)
