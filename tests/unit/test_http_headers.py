"""What the headers of an HTTP response say."""

from datetime import UTC, datetime

import pytest

from shared.http_headers import claims_of, retry_after_of


def clock() -> datetime:
    return datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("99999999999", 86_400.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("Mon, 01 Mar 2027 12:00:00 GMT", 86_400.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("\u0667", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_within_a_day(value: str, seconds: float | None) -> None:
    assert retry_after_of({"retry-after": value}, clock) == seconds


def test_a_response_without_retry_after_names_no_time() -> None:
    assert retry_after_of({}, clock) is None


def test_a_claims_challenge_is_decoded_and_a_malformed_one_is_none() -> None:
    assert claims_of({"www-authenticate": 'Bearer error="insufficient_claims", claims="eyJhIjoxfQ=="'}) == '{"a":1}'
    assert claims_of({"www-authenticate": 'Bearer claims="!"'}) == ""
    assert claims_of({}) == ""
