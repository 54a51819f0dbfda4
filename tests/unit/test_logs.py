"""Nothing secret or personal in a log line, whatever is thrown at it."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from shared import logs
from shared.errors import Reason, RetryLater

SECRET = "alex@contoso.example bearer eyJ0 Quarterly results"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    logs.configure()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logging.getLogger().addHandler(handler)
    yield stream
    logging.getLogger().removeHandler(handler)


def test_a_line_is_json_with_the_bound_ids_and_the_extra_values(lines: io.StringIO) -> None:
    with logs.log_context(mailbox_id="m1", invocation_id="i1"):
        logging.getLogger("shared.sync").info("pass ended", extra={"new_items": 3, "outcome": "done"})
    assert json.loads(lines.getvalue()) == {
        "event": "pass ended",
        "level": "INFO",
        "mailbox_id": "m1",
        "invocation_id": "i1",
        "new_items": 3,
        "outcome": "done",
    }


def test_an_exception_is_named_but_never_quoted(lines: io.StringIO) -> None:
    try:
        try:
            raise ValueError(SECRET)
        except ValueError as cause:
            raise RetryLater(Reason.THROTTLED, SECRET, support="ErrorServerBusy") from cause
    except RetryLater:
        logging.getLogger("shared.sync").exception("pass failed", extra={"subject": SECRET})
    line = json.loads(lines.getvalue())
    assert line["error"]["type"] == "RetryLater"
    assert line["error"]["reason"] == "throttled"
    assert line["error"]["support"] == "ErrorServerBusy"
    assert line["error"]["cause"] == "ValueError"
    assert "contoso" not in lines.getvalue()
    assert "Quarterly" not in lines.getvalue()


def test_vendors_cannot_speak(lines: io.StringIO) -> None:
    for name in logs.NOISY_LOGGERS:
        logging.getLogger(f"{name}.part").error(SECRET)
    assert lines.getvalue() == ""


def test_what_leaves_a_guarded_function_has_no_text_of_the_cause(lines: io.StringIO) -> None:
    @logs.redact_errors
    def wrapped(message: str) -> None:
        raise KeyError(SECRET)

    with pytest.raises(logs.InvocationFailed) as failed:
        wrapped(message="x")
    assert str(failed.value) == "KeyError"
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    assert "contoso" not in lines.getvalue()


def test_line_of_an_error_has_the_ids_that_the_function_added(lines: io.StringIO) -> None:
    @logs.redact_errors
    def wrapped() -> None:
        logs.add_log_context(mailbox_id="m1")
        raise KeyError(SECRET)

    with pytest.raises(logs.InvocationFailed):
        wrapped()
    logging.getLogger("shared.sync").info("another function")
    failed, after = map(json.loads, lines.getvalue().splitlines())
    assert failed["mailbox_id"] == "m1"
    assert "mailbox_id" not in after
