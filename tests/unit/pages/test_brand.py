"""The organization's color and logo: checked when the app starts, and readable in both schemes."""

import base64
import re

import pytest

from functions.http.responses import CONTENT_SECURITY_POLICY
from shared.errors import SettingsInvalid
from shared.pages.brand import Brand
from shared.pages.colors import MIN_CONTRAST, contrast
from shared.pages.logo import MAX_LOGO_BYTES
from shared.pages.pages import Pages, static_file
from shared.settings import Settings
from tests.unit.pages.brand_samples import png
from tests.unit.pages.samples import all_pages
from tests.unit.test_settings import REQUIRED

DARK_COLORS = ["#000000", "#1f5fbf", "#7a0026", "#0b6b3a", "#5b2d8c", "#767676", "#c00000"]


def settings(**values: str) -> Settings:
    return Settings.from_environ(REQUIRED | values)


def logo_setting(logo: bytes) -> Settings:
    return settings(ORGANIZATION_LOGO=base64.b64encode(logo).decode())


def test_without_a_color_and_a_logo_the_pages_have_their_own() -> None:
    plain = settings()
    assert (plain.organization_color, plain.organization_logo, plain.organization_copies) == ("", b"", "unstated")
    html = Pages("Contoso").render("signed_out")
    assert "brand.css" not in html
    assert "logo.png" not in html
    assert Brand().file("brand.css") is None
    assert Brand().file("logo.png") is None


@pytest.mark.parametrize("color", ["#ffff00", "#777777", "#8ab6ff", "#ffffff"])
def test_a_color_that_white_text_cannot_be_read_on_is_refused(color: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"ORGANIZATION_COLOR must be darker: .* at least 4\.5:1") as raised:
        settings(ORGANIZATION_COLOR=color)
    assert color not in str(raised.value)


@pytest.mark.parametrize("color", ["red", "#fff", "1f5fbf", "#1f5fbg", "#1f5fbf;", "#1f5fbf} body{"])
def test_what_is_no_color_is_refused(color: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"ORGANIZATION_COLOR must be a color, #rrggbb"):
        settings(ORGANIZATION_COLOR=color)


def test_the_contrast_is_the_one_that_wcag_defines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)
    assert settings(ORGANIZATION_COLOR="#767676").organization_color == "#767676"
    assert settings(ORGANIZATION_COLOR="#7A0026").organization_color == "#7a0026"


def accents(color: str) -> list[str]:
    """The accent of the light and of the dark scheme."""
    sheet = (Brand(color).file("brand.css") or b"").decode()
    return re.findall(r"--accent: (#[0-9a-f]{6});", sheet)


@pytest.mark.parametrize("color", DARK_COLORS)
def test_the_color_is_readable_in_both_schemes(color: str) -> None:
    light, dark = accents(color)
    for ground in ("#ffffff", "#f5f6f8"):
        assert contrast(light, ground) >= MIN_CONTRAST
    for ground in ("#12151a", "#1b2027", "#0c1a30"):
        assert contrast(dark, ground) >= MIN_CONTRAST


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    sheet = (static_file("site.css") or b"").decode()
    for ground in ("--ground: #f5f6f8", "--surface: #ffffff", "--ground: #12151a", "--surface: #1b2027",
                   "--on-accent: #0c1a30"):  # fmt: skip
        assert ground in sheet


def test_a_dark_enough_color_is_used_as_it_is() -> None:
    assert accents("#7a0026")[0] == "#7a0026"


def test_a_small_png_is_taken() -> None:
    assert logo_setting(png()).organization_logo == png()
    broken_lines = base64.encodebytes(png()).decode()
    assert settings(ORGANIZATION_LOGO=broken_lines).organization_logo == png()


@pytest.mark.parametrize(
    "value",
    [
        "https://contoso.example/logo.png",
        "not base64!",
        base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg'/>").decode(),
        base64.b64encode(b"\xff\xd8\xff\xe0 jpeg").decode(),
        base64.b64encode(png()[:-12]).decode(),
        base64.b64encode(png()[:60]).decode(),
        base64.b64encode(png()[:20] + b"\x01" + png()[21:]).decode(),
        base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(),
    ],
)
def test_what_is_no_whole_png_is_refused_and_not_quoted(value: str) -> None:
    with pytest.raises(SettingsInvalid, match=r"ORGANIZATION_LOGO must be a .*PNG file in base64") as raised:
        settings(ORGANIZATION_LOGO=value)
    assert value not in str(raised.value)


def test_a_large_file_and_a_large_picture_are_refused() -> None:
    assert len(png(padding=MAX_LOGO_BYTES)) > MAX_LOGO_BYTES
    with pytest.raises(SettingsInvalid, match="at most 24 KiB"):
        logo_setting(png(padding=MAX_LOGO_BYTES))
    for sides in ((4000, 40), (40, 8)):
        with pytest.raises(SettingsInvalid, match="16 to 2048 pixels"):
            logo_setting(png(*sides))


def test_pages_show_the_color_and_the_logo_from_the_app_itself() -> None:
    brand = Brand("#7a0026", png())
    html = Pages("Contoso & Co", brand=brand).render("signed_out")
    assert '<link rel="stylesheet" href="/static/brand.css">' in html
    assert '<img class="logo" src="/static/logo.png" alt="Contoso &amp; Co">' in html
    assert html.index("site.css") < html.index("brand.css")
    assert brand.file("logo.png") == png()
    assert brand.file("other.png") is None
    assert "img-src 'self'" in CONTENT_SECURITY_POLICY


def test_every_page_has_the_brand() -> None:
    pages = Pages("Contoso", brand=Brand("#7a0026", png()))
    for name in ("landing", "receipt", "my-sync-up-to-date", "operator"):
        template, values = all_pages()[name]
        assert "logo.png" in pages.render(template, **values)
