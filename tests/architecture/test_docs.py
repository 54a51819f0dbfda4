"""What the documents repeat from the code is what the code says: `make docs` writes it."""

import pytest

from shared.api.openapi import document
from shared.mailboxes.errors import CommandRefused
from shared.storage.storage_layout import CONTAINERS, QUEUES, TABLES
from tests.architecture.generated_docs import API_CODES, API_DESCRIPTION, BLOCKS, ROOT, written


@pytest.mark.parametrize("path", BLOCKS)
def test_generated_blocks_are_what_the_code_says(path: str) -> None:
    text = (ROOT / path).read_text()
    assert text == written(path, text), f"{path} is out of date: run make docs"


@pytest.mark.parametrize("path", BLOCKS)
def test_a_changed_block_is_noticed(path: str) -> None:
    text = (ROOT / path).read_text()
    end = next(mark.format(name, "end") for name, (mark, _) in BLOCKS[path].items())
    assert written(path, text.replace(end, "stray\n" + end, 1)) != text.replace(end, "stray\n" + end, 1)


def test_every_command_that_is_refused_has_its_code_in_the_apis_table() -> None:
    assert {kind.code for kind in CommandRefused.__subclasses__()} <= set(API_CODES)


def test_a_missing_mark_is_an_error() -> None:
    with pytest.raises(ValueError, match="has no block settings"):
        written("README.md", "nothing")


def test_the_apis_description_is_what_the_code_says() -> None:
    assert (ROOT / API_DESCRIPTION).read_bytes() == document(), f"{API_DESCRIPTION} is out of date: run make docs"


@pytest.mark.parametrize("name", [*CONTAINERS, *TABLES, *QUEUES])
def test_the_architecture_names_everything_that_is_stored(name: str) -> None:
    text = (ROOT / "docs/architecture.md").read_text()
    assert f"`{name}`" in text or f"`{name}/{{mailbox}}" in text
