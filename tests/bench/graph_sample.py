"""What Graph gives of a message that is asked for as this program asks: 20 properties, 4 of them extended."""

import json

_ETAG = "CQAAABYAAAC{:08d}QmVuY2g"
_CONVERSATION = "AAQkADhiN2U0{:08d}QmVuY2hNYXJrQmVuY2hNYXJrQmVuY2g="


def message_id(number: int) -> str:
    """An id as long as Graph's."""
    return f"AAMkADhiN2U0{number:08d}" + "QmVuY2hNYXJr" * 10 + "AAA="


def message(number: int) -> str:
    """One message as JSON, in the order and the spelling of the service."""
    moment = f"2024-{number % 12 + 1:02d}-{number % 28 + 1:02d}T{number % 24:02d}:{number % 60:02d}:07Z"
    etag = _ETAG.format(number)
    sam, ada, bob, cyd = (_person(name, number) for name in ("sam", "ada", "bob", "cyd"))
    return json.dumps(
        {
            "@odata.type": "#microsoft.graph.message",
            "@odata.etag": f'W/"{etag}"',
            "createdDateTime": moment,
            "lastModifiedDateTime": moment,
            "changeKey": etag,
            "categories": ["Blue", "Finance"],
            "receivedDateTime": moment,
            "sentDateTime": moment,
            "hasAttachments": False,
            "internetMessageId": f"<{number}@example.org>",
            "subject": f"Quarterly figures, take {number}",
            "importance": "normal",
            "conversationId": _CONVERSATION.format(number),
            "isRead": True,
            "isDraft": False,
            "id": message_id(number),
            "sender": sam,
            "from": sam,
            "toRecipients": [ada, bob],
            "ccRecipients": [cyd],
            "bccRecipients": [],
            "flag": {"flagStatus": "notFlagged"},
            "singleValueExtendedProperties": _extended(number),
        },
        separators=(",", ":"),
    )


def reference(number: int) -> str:
    """The same message in a listing for comparison."""
    told = json.loads(message(number))
    return json.dumps({name: told[name] for name in ("@odata.etag", "id", "changeKey", "receivedDateTime")})


def _extended(number: int) -> list[dict[str, str]]:
    return [
        {"id": "Integer 0xe08", "value": str(20_000 + number % 1000)},
        {"id": "String 0x1a", "value": "IPM.Note"},
        {"id": "Binary 0x300b", "value": f"QmVuY2hNYXJr{number:010d}=="},
        {"id": "Integer 0x36", "value": "0"},
    ]


def _person(name: str, number: int) -> dict[str, dict[str, str]]:
    return {"emailAddress": {"name": f"{name.title()} {number % 97}", "address": f"{name}{number % 97}@example.org"}}
