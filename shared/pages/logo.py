"""Checks the organization's logo: a PNG file in base64 in a setting, because pages load nothing from elsewhere."""

import base64
import zlib
from collections.abc import Iterator

MAX_LOGO_BYTES = 24 * 1024
"""As base64 this is 32 KiB; the settings of an app are environment variables."""

MIN_SIDE, MAX_SIDE = 16, 2048
"""Pixels."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def parse_logo(value: str) -> bytes:
    """Return the bytes of the PNG file; empty for an empty value.

    Raises:
        ValueError: it is not base64 of a whole PNG file, or the file or the picture is too large or too small.
    """
    try:
        logo = base64.b64decode("".join(value.split()), validate=True)
    except ValueError:  # its text could quote the value
        raise ValueError("must be a PNG file in base64") from None
    if len(logo) > MAX_LOGO_BYTES:
        raise ValueError(f"must be a PNG file of at most {MAX_LOGO_BYTES // 1024} KiB")
    if logo:
        _check_picture(logo)
    return logo


def _check_picture(logo: bytes) -> None:
    """Check the structure of the file (PNG specification, chapter 5) and the size of the picture."""
    chunks = dict(_chunks(logo)) if logo.startswith(_SIGNATURE) else {}
    header = chunks.get(b"IHDR", b"")
    if len(header) != 13 or b"IDAT" not in chunks or b"IEND" not in chunks:
        raise ValueError("must be a whole PNG file in base64")
    sides = int.from_bytes(header[:4]), int.from_bytes(header[4:8])
    if not all(MIN_SIDE <= side <= MAX_SIDE for side in sides):
        raise ValueError(f"must be a picture of {MIN_SIDE} to {MAX_SIDE} pixels in width and height")


def _chunks(logo: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The chunks of a PNG file, up to the first one that is cut off or damaged."""
    at = len(_SIGNATURE)
    while at + 12 <= len(logo):
        length, kind = int.from_bytes(logo[at : at + 4]), logo[at + 4 : at + 8]
        data, check = logo[at + 8 : at + 8 + length], logo[at + 8 + length : at + 12 + length]
        if zlib.crc32(kind + data) != int.from_bytes(check) or len(check) != 4:
            return
        yield kind, data
        at += 12 + length
