"""The organization's color and logo, served as files of the app, because pages load nothing from elsewhere."""

from dataclasses import dataclass

from shared.pages.colors import BLACK, WHITE, mixed, readable_on

SHEET, LOGO = "brand.css", "logo.png"

_LIGHT_GROUNDS = ("#ffffff", "#f5f6f8")
_DARK_GROUNDS = ("#12151a", "#1b2027", "#0c1a30")
"""The grounds and surfaces of site.css; in the dark scheme also the text on a primary button."""


@dataclass(frozen=True, slots=True)
class Brand:
    """What an organization sets: a color (#rrggbb, readable under white text), and a logo (a PNG file)."""

    color: str = ""
    logo: bytes = b""

    def file(self, name: str) -> bytes | None:
        """Return one of the brand's files; None if it is not set, or there is no such file."""
        files = {SHEET: style_sheet(self.color).encode() if self.color else b"", LOGO: self.logo}
        return files.get(name) or None


def style_sheet(color: str) -> str:
    """Return the style sheet that replaces the accents of site.css, with shades that are readable in both schemes."""
    light = readable_on(color, BLACK, *_LIGHT_GROUNDS)
    dark = readable_on(color, WHITE, *_DARK_GROUNDS)
    return (
        f":root {{ --accent: {light}; --accent-strong: {mixed(light, BLACK, 0.25)}; }}\n"
        "@media (prefers-color-scheme: dark) {\n"
        f"  :root {{ --accent: {dark}; --accent-strong: {mixed(dark, WHITE, 0.35)}; }}\n"
        "}\n"
    )
