"""Every sentence that people read, by language and key.

A sentence may have `{placeholders}`. A key with `one` and `other` below it has two forms, selected by `count`.
Sentences contain no markup; the templates add it and escape all values.
"""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

from shared.pages.languages import Language, number_text

FILES = {
    Language.ENGLISH: ("catalog.toml", "console.toml", "mail.toml", "api_problems.toml"),
    Language.GERMAN: ("catalog.de.toml", "mail.de.toml"),
}
"""The files of each language. No section is in two files of one language."""

ENGLISH_ONLY = frozenset({"activate", "api_docs", "api_problems", "moves", "operator", "parity"})
"""The sections of catalog.toml for operators and programs; those of console.toml are too."""


class Catalog:
    """The sentences of one language."""

    def __init__(self, sentences: Mapping[str, Any], language: Language = Language.ENGLISH) -> None:
        self.language = language
        self._sentences = sentences

    def __contains__(self, key: str) -> bool:
        """Whether the key exists."""
        try:
            self._find(key)
        except KeyError:
            return False
        return True

    def text(self, key: str, **values: object) -> str:
        """Return a sentence with its placeholders filled in; whole numbers get thousands separators.

        Raises:
            KeyError: there is no such sentence, or a placeholder has no value.
        """
        found = self._find(key)
        if isinstance(found, Mapping):
            found = found["one" if values.get("count") == 1 else "other"]
        return str(found).format_map({name: self._shown(value) for name, value in values.items()})

    def lines(self, key: str, **values: object) -> list[str]:
        """Return a list of sentences with their placeholders filled in."""
        return [str(line).format_map(values) for line in self._find(key)]

    def keys(self, section: str) -> list[str]:
        """Return the keys directly below a section."""
        return list(self._find(section))

    def _find(self, key: str) -> Any:
        found: Any = self._sentences
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise KeyError(f"no sentence for {key}")
            found = found[part]
        return found

    def _shown(self, value: object) -> object:
        if isinstance(value, int) and not isinstance(value, bool):
            return number_text(value, self.language)
        return value


@cache
def catalog_of(language: Language) -> Catalog:
    """Return the catalog of a language, as it ships with the program."""
    files = FILES[language]
    return Catalog({name: sentences for file in files for name, sentences in _sections(file).items()}, language)


def english() -> Catalog:
    """Return the English catalog, the only one with the sentences for operators and programs."""
    return catalog_of(Language.ENGLISH)


def _sections(file: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath(file).read_text("utf-8"))
