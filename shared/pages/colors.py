"""Color arithmetic for the organization's color: contrast as WCAG 2.2 defines it, and the shades the pages use."""

import re

MIN_CONTRAST = 4.5
"""The least contrast of text (WCAG 2.2, success criterion 1.4.3)."""

WHITE, BLACK = "#ffffff", "#000000"

_COLOR = re.compile(r"#[0-9a-f]{6}")
_STEPS = 100


def parse_color(value: str) -> str:
    """Return a color written #rrggbb, in lower case; empty stays empty.

    Raises:
        ValueError: it is no such color, or white text on it cannot be read.
    """
    color = value.lower()
    if color and not _COLOR.fullmatch(color):
        raise ValueError("must be a color, #rrggbb")
    if color and contrast(color, WHITE) < MIN_CONTRAST:
        raise ValueError(f"must be darker: its contrast with white must be at least {MIN_CONTRAST}:1")
    return color


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, 1 to 21."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def mixed(color: str, other: str, share: float) -> str:
    """Return the color with this share (0 to 1) of the other one."""
    channels = zip(_channels(color), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in channels)


def readable_on(color: str, toward: str, *grounds: str) -> str:
    """Return the color, mixed with as little of `toward` as is needed to be readable on all these grounds."""
    for step in range(_STEPS):
        shade = mixed(color, toward, step / _STEPS)
        if all(contrast(shade, ground) >= MIN_CONTRAST for ground in grounds):
            return shade
    return toward


def _luminance(color: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def _channels(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)
