"""Reads an item's list of attachments, and fetches their bytes (GetAttachment)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from itertools import batched
from operator import or_

import pybase64
from lxml import etree

from shared.formats.values.common import Attachment
from shared.sources.ews.faults.rules import BatchTooLarge, Fault, ResponseUnreadable, error_of_fault, rule_of_code
from shared.sources.ews.transport.session import Channel, EwsLimits
from shared.sources.ews.transport.soap_request import Envelopes, get_attachment
from shared.sources.ews.transport.soap_response import M, T, parse, parse_count, response_messages, response_problem

_BASE64 = 4 / 3
_OVERHEAD = 4096
"""Bytes of XML around an attachment's content."""


@dataclass(frozen=True, slots=True)
class ListedAttachment:
    """An attachment as its item lists it, without bytes. `id` is empty if no bytes can be fetched."""

    id: str
    attachment: Attachment
    is_photo: bool = False


def read_attachments(element: etree._Element) -> list[ListedAttachment]:
    """Parse a t:Attachments element: files, attached items, and links to files elsewhere."""
    return [_listed(child) for child in element]


def _listed(element: etree._Element) -> ListedAttachment:
    identifier = element.find(f"{T}AttachmentId")
    is_item = element.tag == f"{T}ItemAttachment"
    is_link = element.tag == f"{T}ReferenceAttachment"
    attachment = Attachment(
        name=element.findtext(f"{T}Name") or "",
        media_type="message/rfc822" if is_item else element.findtext(f"{T}ContentType") or "",
        size=parse_count(element.findtext(f"{T}Size") or "") or 0,
        content_id=(element.findtext(f"{T}ContentId") or "").strip("<>"),
        is_inline=element.findtext(f"{T}IsInline") == "true",
        url=(element.findtext(f"{T}AttachLongPathName") or "") if is_link else "",
    )
    has_bytes = identifier is not None and not is_link
    return ListedAttachment(
        id=(identifier.get("Id") or "") if identifier is not None and has_bytes else "",
        attachment=attachment,
        is_photo=element.findtext(f"{T}IsContactPhoto") == "true",
    )


@dataclass(frozen=True, slots=True)
class Attached:
    """The bytes of attachments by id. `refused` is Exchange's code for one that could not be fetched, or empty."""

    contents: Mapping[str, bytes]
    refused: str = ""

    def __or__(self, other: "Attached") -> "Attached":
        return Attached({**self.contents, **other.contents}, self.refused or other.refused)


NONE_ATTACHED = Attached({})


class AttachmentReader:
    """Fetches the bytes of attachments of one mailbox; safe to use from several threads."""

    def __init__(self, channel: Channel, envelopes: Envelopes, limits: EwsLimits) -> None:
        self._channel = channel
        self._envelopes = envelopes
        self._batch_bytes = limits.batch_bytes // 2
        self._answer_bytes = limits.answer_bytes

    def read(self, listed: Sequence[ListedAttachment]) -> Attached:
        """Fetch the attachments. One that cannot be fetched is left out.

        Raises: temporary errors. Otherwise an item without its attachments would count as complete.
        """
        return reduce(or_, map(self._batch, self._batches(listed)), NONE_ATTACHED)

    def _batches(self, listed: Sequence[ListedAttachment]) -> Iterator[Sequence[ListedAttachment]]:
        """Split the attachments into batches whose expected response size is within the limit."""
        batch: list[ListedAttachment] = []
        batch_bytes = 0
        for each in listed:
            expected = _expected(each)
            if batch and batch_bytes + expected > self._batch_bytes:
                yield batch
                batch, batch_bytes = [], 0
            batch.append(each)
            batch_bytes += expected
        if batch:
            yield batch

    def _batch(self, listed: Sequence[ListedAttachment]) -> Attached:
        request = self._envelopes.wrap(get_attachment([each.id for each in listed]))
        most = max(self._answer_bytes, 2 * sum(map(_expected, listed)))
        try:
            answered = list(response_messages(parse(self._channel.ask(request, most)), "GetAttachment"))
        except (ResponseUnreadable, BatchTooLarge) as exc:
            return self._in_parts(listed, len(listed), exc)
        if len(answered) != len(listed):
            raise error_of_fault(Fault.UNEXPECTED)
        found, again, busy = NONE_ATTACHED, [], None
        for each, message in zip(listed, answered, strict=True):
            try:
                found |= _one(each, message)
            except BatchTooLarge as exc:
                again.append(each)
                busy = exc
        return found if busy is None else found | self._in_parts(again, len(listed), busy)

    def _in_parts(
        self, listed: Sequence[ListedAttachment], asked: int, exc: ResponseUnreadable | BatchTooLarge
    ) -> Attached:
        """Request half as many at once. A single attachment that is too large or cannot be read is left out.

        Raises: `exc` if it may be temporary.
        """
        if asked > 1:
            parts = batched(listed, max(1, asked // 2), strict=False)
            return reduce(or_, map(self._batch, parts), NONE_ATTACHED)
        if isinstance(exc, BatchTooLarge) and exc.support != _OVERSIZED:
            raise exc
        return Attached({}, exc.support)


_OVERSIZED = Fault.OVERSIZED.name.lower()


def _one(listed: ListedAttachment, message: etree._Element) -> Attached:
    """Read one attachment of a response. Raises the error if the problem concerns the whole request."""
    problem = response_problem(message)
    if problem is not None and rule_of_code(problem.code).of_item is None:
        raise problem.error()
    content = _content(message) if problem is None else None
    if content is not None:
        return Attached({listed.id: content})
    return Attached({}, problem.code if problem is not None else "no_attachment")


def _expected(listed: ListedAttachment) -> int:
    return int(listed.attachment.size * _BASE64) + _OVERHEAD


def _content(message: etree._Element) -> bytes | None:
    """The bytes of a file, or the MIME text of an attached item; None if Exchange returned neither."""
    content = message.find(f"{M}Attachments/{T}FileAttachment/{T}Content")
    if content is None:
        content = message.find(f"{M}Attachments/{T}ItemAttachment/*/{T}MimeContent")
    if content is None:
        return None
    text = content.text or ""
    try:
        return pybase64.b64decode(text, validate="\n" not in text)
    except ValueError:
        return None


def with_contents(
    listed: Sequence[ListedAttachment], contents: Mapping[str, bytes]
) -> tuple[tuple[Attachment, ...], Attachment | None]:
    """The attachments with their bytes, and separately the contact's photo."""
    photo = None
    attachments = []
    for each in listed:
        attachment = replace(each.attachment, data=contents.get(each.id))
        if each.is_photo and photo is None:
            photo = attachment
        else:
            attachments.append(attachment)
    return tuple(attachments), photo
