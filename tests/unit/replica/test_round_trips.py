"""What goes into packs, feed pages, rows and cursors comes out the same, whatever it is."""

import base64
import hashlib
import io
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.replica.encoding import cursor_json, feed, item_rows, pack
from shared.replica.port import ContentLocation, Cursor, FeedChange, FeedKind, FolderState, ReplicaItem, item_key
from shared.replica.storage_port import RowChange, Verb
from shared.sources.model import Content, FolderKind, FolderRole, ItemKind
from tests.unit.replica.samples import an_item, created, cursor_with, folder

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
metadata = st.dictionaries(texts, json_values, max_size=4)
times = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
places = st.builds(
    ContentLocation, st.from_regex(r"m1/\d{10}-[0-9a-f]{16}\.zip", fullmatch=True), st.integers(0, 2**30),
    st.integers(0, 2**30), st.sampled_from(["eml", "ics", "vcf", "json"]),
    st.from_regex("[0-9a-f]{64}", fullmatch=True),
)  # fmt: skip
items = st.builds(
    ReplicaItem,
    key=texts.map(item_key),
    source_id=texts,
    version=texts,
    folder_id=texts,
    kind=st.sampled_from(ItemKind),
    item_class=texts,
    move_key=texts,
    content_key=texts,
    subject=texts,
    size=st.integers(0, 2**31 - 1),
    is_read=st.none() | st.booleans(),
    at=st.none() | times,
    metadata=metadata,
    located=st.none() | places,
    aliases=st.lists(texts.map(item_key), max_size=2).map(tuple),
)
changes = st.lists(st.builds(FeedChange, st.sampled_from(FeedKind), items), max_size=5)
kinds, roles = st.sampled_from(FolderKind), st.sampled_from(FolderRole)
states = st.builds(
    FolderState, id=texts, path=texts, parent_id=texts, kind=kinds, role=roles, archive=st.booleans(),
    state=st.none() | texts, change_token=st.none() | texts, seeded=st.booleans(), items=st.integers(0),
    total=st.integers(0),
)  # fmt: skip
folders = st.lists(states, max_size=4).map(lambda found: {each.id: each for each in found})


@given(items)
@settings(deadline=None)
def test_a_row_gives_its_item_back(item: ReplicaItem) -> None:
    row = json.loads(json.dumps({"RowKey": item.key} | item_rows.item_to_row(item)))
    assert item_rows.item_from_row(row) == item
    assert item_rows.is_item(row)


@given(changes, folders)
@settings(deadline=None)
def test_a_feed_page_gives_its_changes_and_cursor_back(page: list[FeedChange], after: dict[str, FolderState]) -> None:
    step = cursor_json.step_to_json(Cursor(), Cursor(2, after, {"n": 1}))
    data = feed.encode("m1", step, page)
    first, read = feed.decode(data)
    assert list(read) == page
    assert cursor_json.step_from_json(Cursor(), first) == Cursor(2, after, {"n": 1})
    assert len(data.splitlines()) == 1 + len(page)
    assert feed.deletes(data) == any(change.kind is FeedKind.DELETE for change in page)


@given(folders, metadata)
@settings(deadline=None)
def test_a_cursor_comes_back_the_same(found: dict[str, FolderState], notes: dict[str, object]) -> None:
    cursor = Cursor(7, found, notes)
    assert cursor_json.cursor_from_json(json.loads(json.dumps(cursor_json.cursor_to_json(cursor))), "e") == replace(
        cursor, etag="e"
    )


@given(st.lists(folders, min_size=1, max_size=40))
@settings(deadline=None)
def test_the_steps_of_the_pages_add_up_to_every_cursor(walk: list[dict[str, FolderState]]) -> None:
    before, steps = Cursor(), []
    for sequence, found in enumerate(walk, 1):
        following = Cursor(sequence, found)
        steps.append(json.loads(json.dumps(cursor_json.step_to_json(before, following))))
        assert cursor_json.apply_steps(Cursor(), steps[cursor_json.last_full_page(sequence) - 1 :]) == following
        before = following


@given(st.text())
def test_an_item_key_is_base32(source_id: str) -> None:
    digest = hashlib.sha256(source_id.encode()).digest()[:20]
    assert item_key(source_id) == base64.b32encode(digest).decode().lower()


@given(st.dictionaries(texts.map(item_key), st.binary(max_size=200), max_size=6), st.sampled_from(["eml", "json"]))
@settings(deadline=None)
def test_a_pack_is_a_plain_zip_and_every_content_lies_where_it_says(data: dict[str, bytes], form: str) -> None:
    packed = pack.build("m1", 3, [(key, Content(form, content)) for key, content in data.items()])
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == {f"{key}.{form}": data[key] for key in data}
    for key, located in packed.located.items():
        cut = packed.data[located.offset : located.offset + located.length]
        assert cut == data[key]
        assert pack.is_whole(located, cut)
        assert not pack.is_whole(located, cut + b"!")
    assert pack.sequence_of(packed.name) == 3


def test_a_pack_is_the_file_that_the_standard_library_writes() -> None:
    contents = [
        ("abc234", Content("eml", b"hello")),
        ("def567", Content("ics", b"")),
        ("xyz", Content("json", b"x" * 9)),
    ]
    expected = io.BytesIO()
    with zipfile.ZipFile(expected, "w", zipfile.ZIP_STORED) as archive:
        for key, content in contents:
            archive.writestr(zipfile.ZipInfo(f"{key}.{content.form}"), content.data)
    assert pack.build("m1", 3, contents).data == expected.getvalue()


def test_two_attempts_at_a_page_never_share_a_pack() -> None:
    contents = [("key", Content("eml", b"same"))]
    assert pack.build("m1", 3, contents).name != pack.build("m1", 3, contents).name


@given(st.text(max_size=50), st.integers(0, 40))
@settings(max_examples=30, deadline=None)
def test_what_storage_cannot_hold_is_cut_alike_for_feed_and_table(text: str, fields: int) -> None:
    large = {f"field{number}": "\N{ROCKET}" * 3000 for number in range(fields)}
    item = item_rows.fit_to_limits(an_item(subject=text * 400, metadata={"text": "kept"} | large))
    row = item_rows.item_to_row(item)
    assert all(len(value.encode("utf-16-le")) <= 65_536 for value in row.values() if isinstance(value, str))
    assert sum(len(value.encode("utf-16-le")) for value in row.values() if isinstance(value, str)) < 900_000
    assert item_rows.item_from_row({"RowKey": item.key} | row) == item
    assert feed.decode(feed.encode("m1", {"sequence": 1}, [FeedChange(FeedKind.CREATE, item)]))[1][0].item == item
    assert item.metadata["text"] == "kept"
    assert set(item.metadata) == {"text"} | set(large) or len(item.metadata["left_out"]) > 0  # type: ignore[arg-type]


def test_no_length_of_what_a_server_says_keeps_a_page_from_being_applied() -> None:
    item = item_rows.fit_to_limits(an_item(item_class="IPM." * 20_000, move_key="ab" * 20_000, size=2**40))
    row = item_rows.item_to_row(item)
    assert all(len(value.encode("utf-16-le")) <= 65_536 for value in row.values() if isinstance(value, str))
    assert item_rows.item_from_row({"RowKey": item.key} | row) == item
    assert item_rows.item_to_row(item_rows.fit_to_limits(an_item(size=2**31 - 1)))["size"] == 2**31 - 1


def test_transactions_hold_what_azure_allows() -> None:
    rows = [RowChange(Verb.REPLACE, f"k{number}", {"metadata": "m" * 30_000}) for number in range(250)]
    runs = list(item_rows.split_into_transactions(rows))
    assert [row for run in runs for row in run] == rows
    assert all(len(run) < 100 and len(run) * 31_000 < 4 * 2**20 for run in runs)
    small = [RowChange(Verb.DELETE, f"k{number}") for number in range(198)]
    assert [len(run) for run in item_rows.split_into_transactions(small)] == [99, 99]
    assert list(item_rows.split_into_transactions([])) == [[]]


def test_the_longest_texts_of_the_rarest_letters_fit_into_a_transaction() -> None:
    item = item_rows.fit_to_limits(an_item(subject="\N{ROCKET}" * item_rows.MAX_TEXT_CHARACTERS))
    rows = [RowChange(Verb.INSERT, f"k{number}", item_rows.item_to_row(item)) for number in range(99)]
    for run in item_rows.split_into_transactions(rows):
        assert sum(len(json.dumps(dict(row.values))) + 600 for row in run) < 4 * 2**20


def test_a_redacted_page_keeps_live_items_and_nothing_personal_of_others() -> None:
    page = [created("A", b""), FeedChange(FeedKind.DELETE, an_item("B", aliases=("x" * 32,)))]
    data = feed.encode("m1", cursor_json.step_to_json(Cursor(), replace(cursor_with(folder()), sequence=1)), page)
    redacted = feed.redact(data, {item_key("A")})
    first, read = feed.decode(redacted)
    assert read[0] == page[0]
    assert (read[1].kind, read[1].item.key, read[1].item.aliases) == (FeedKind.DELETE, item_key("B"), ("x" * 32,))
    dead = redacted.splitlines()[2]
    assert set(json.loads(dead)) == {
        "change", "key", "kind", "source_id", "version", "folder_id", "item_class", "aliases", "redacted"
    }  # fmt: skip
    assert first == feed.decode(data)[0]
    assert feed.redact(redacted, {item_key("A")}) == redacted
