"""Pages for people come in English and German: which one, and that the two catalogs correspond."""

import string
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib import resources
from typing import Any

import pytest

from shared.pages.catalog import ENGLISH_ONLY, FILES, Catalog, catalog_of, english
from shared.pages.languages import Language, preferred_language
from shared.pages.pages import UNNAMED, Pages, time_element
from shared.settings import Settings
from tests.unit.pages.samples import all_pages, person_pages

GERMAN = Pages("Contoso GmbH", "hilfe@contoso.example", catalog_of(Language.GERMAN))

SAME_IN_BOTH = {
    "site.product",  # the product's name
    "sources.graph",  # Microsoft's name
}
"""The sentences that are the same in both languages."""


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("de", "de"),
        ("de-DE,de;q=0.9,en-US;q=0.8,en;q=0.7", "de"),
        ("DE-at", "de"),
        ("en-GB,en;q=0.9,de;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,de;q=0.5,en;q=0.4", "de"),
        ("fr,it", "en"),
        ("en;q=0.5, de;q=0.5", "en"),
        ("de;q=0.5, en;q=0.5", "de"),
        ("de;q=0", "en"),
        ("de;q=nan, en;q=0.1", "en"),
        ("de;q=2", "en"),
        ("de;level=1", "en"),
        ("*", "en"),
        ("den", "en"),
        (";;;,,q=", "en"),
        (",".join(["fr"] * 1000) + ",de", "en"),
    ],
)
def test_the_language_is_the_one_the_browser_prefers(header: str, language: str) -> None:
    assert preferred_language(header).value == language


def leaves(found: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every sentence below `found`, with its key; lines of a list are numbered."""
    if isinstance(found, str):
        yield path, found
    elif isinstance(found, Mapping):
        for key, below in found.items():
            yield from leaves(below, f"{path}.{key}".lstrip("."))
    elif isinstance(found, list):
        for number, below in enumerate(found):
            yield from leaves(below, f"{path}.{number}")


def sentences(file: str) -> dict[str, str]:
    text = resources.files("shared.pages").joinpath(file).read_text("utf-8")
    sections: dict[str, Any] = tomllib.loads(text)
    return dict(leaves({name: found for name, found in sections.items() if name not in ENGLISH_ONLY}))


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


ENGLISH_SENTENCES = sentences("catalog.toml")
GERMAN_SENTENCES = sentences("catalog.de.toml")


def test_both_catalogs_have_the_same_keys() -> None:
    assert list(GERMAN_SENTENCES) == list(ENGLISH_SENTENCES)


def test_a_sentence_has_the_same_placeholders_in_both() -> None:
    differing = [
        key for key, told in ENGLISH_SENTENCES.items() if placeholders(told) != placeholders(GERMAN_SENTENCES[key])
    ]
    assert differing == []


def test_a_sentence_is_empty_in_both_or_in_none() -> None:
    assert [key for key, told in ENGLISH_SENTENCES.items() if bool(told) != bool(GERMAN_SENTENCES[key])] == []


def test_no_sentence_was_left_untranslated() -> None:
    same = {key for key, told in ENGLISH_SENTENCES.items() if told and told == GERMAN_SENTENCES[key]}
    assert same == SAME_IN_BOTH


def test_german_has_no_straight_quotes_and_addresses_formally() -> None:
    prose = {key: told for key, told in GERMAN_SENTENCES.items() if ".commands_for." not in key}
    assert [key for key, told in prose.items() if set("\"'’") & set(told)] == []
    informal = {"du", "dein", "deine", "dir", "dich"}
    assert [key for key, told in prose.items() if informal & set(told.lower().split())] == []


def test_a_sentence_says_the_same_in_two_places_only_if_the_english_one_does() -> None:
    """A status whose title equals its problem's title is shown once."""
    titles = [key for key in ENGLISH_SENTENCES if key.endswith(".title") and key.startswith(("problems.", "statuses."))]
    for key in titles:
        for other in titles:
            if ENGLISH_SENTENCES[key] == ENGLISH_SENTENCES[other]:
                assert GERMAN_SENTENCES[key] == GERMAN_SENTENCES[other], (key, other)


def test_every_language_has_a_catalog() -> None:
    assert set(FILES) == set(Language)
    assert {catalog_of(language).language for language in Language} == set(Language)


@pytest.mark.parametrize("name", sorted(person_pages()))
def test_every_page_for_people_renders_in_german(name: str) -> None:
    template, values = person_pages()[name]
    html = GERMAN.render(template, **values)
    assert '<html lang="de">' in html
    assert "Betreiber: Contoso GmbH" in html
    english_title = Pages("Contoso GmbH").render(template, **values).partition("<title>")[2].partition("</title>")[0]
    assert f"<title>{english_title}</title>" not in html


def test_only_pages_for_operators_and_programs_are_english_alone() -> None:
    left = {all_pages()[name][0] for name in all_pages().keys() - person_pages().keys()}
    assert {template.partition("/")[0] for template in left} == {"console", "activate", "api_docs", "moves", "parity"}


def test_numbers_and_plurals_are_german() -> None:
    german = catalog_of(Language.GERMAN)
    assert german.text("my_sync.items", count=1) == "1 Element"
    assert german.text("my_sync.items", count=0) == "0 Elemente"
    assert german.text("my_sync.items", count=12480) == "12.480 Elemente"
    assert english().text("my_sync.items", count=12480) == "12,480 items"


def test_the_receipt_counts_with_the_separator_of_its_language() -> None:
    template, values = all_pages()["receipt"]
    assert "12.480" in GERMAN.render(template, **values)
    assert "12,480" in Pages("Contoso").render(template, **values)


@pytest.mark.parametrize(
    ("month", "shown"),
    [
        (3, "4. März 2026, 05:06 UTC"),
        (5, "4. Mai 2026, 05:06 UTC"),
        (12, "4. Dezember 2026, 05:06 UTC"),
    ],
)
def test_a_time_is_german_without_script(month: int, shown: str) -> None:
    element = time_element(datetime(2026, month, 4, 5, 6, 7, tzinfo=UTC), Language.GERMAN)
    assert element == f'<time datetime="2026-{month:02}-04T05:06:07Z">{shown}</time>'


def test_an_organization_without_a_name_is_yours_in_both_languages() -> None:
    (default,) = [
        declared.metadata["default"]
        for name, declared in Settings.__dataclass_fields__.items()
        if name == "organization"
    ]
    assert english().text(UNNAMED) == default
    assert "Ihre Organisation bittet Sie" in Pages(default, catalog=catalog_of(Language.GERMAN)).text("invitation.lead")
    assert Pages("Fabrikam", catalog=catalog_of(Language.GERMAN)).text("site.by") == "Betreiber: Fabrikam"


def test_a_catalog_of_other_sentences_needs_no_name_for_an_organization() -> None:
    assert Pages(english().text(UNNAMED), catalog=Catalog({"a": "{organization}"})).text("a") == "Your organization"
