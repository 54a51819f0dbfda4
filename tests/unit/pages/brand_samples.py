"""A logo, made on the spot."""

import struct
import zlib


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int = 120, height: int = 40, padding: int = 0) -> bytes:
    """A gray picture; `padding` bytes of text make the file larger."""
    rows = zlib.compress(b"".join(b"\x00" + b"\x80" * width for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    text = [chunk(b"tEXt", b"x" * padding)] if padding else []
    chunks = [chunk(b"IHDR", header), *text, chunk(b"IDAT", rows), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
