"""The forms of the operator's pages: what a bulk action concerns, links of filtered lists, activation."""

import csv
import io
from dataclasses import replace

import pytest

from shared.mailboxes.bulk.model import DELETING, JobCommand, query_of
from shared.mailboxes.directory.counting import MatchCount
from shared.mailboxes.erasures.erasing import ErasureReceipt
from shared.mailboxes.errors import CommandRefused
from shared.pages.catalog import english
from shared.pages.console.jobs import OFFERED, job_request
from shared.pages.console.list_link import ADDRESS_IN_LINK, UNKNOWN_FILTER, link_of, request_of_link
from shared.pages.console.mailbox_list import list_request
from shared.pages.console.receipts import receipts_csv
from shared.pages.pages import Pages
from tests.unit.pages.console_samples import NOW, console_pages
from tests.unit.pages.samples import MAILBOX, all_pages

PAGES = Pages("Contoso Ltd")
CONFIRMED = {
    "job-confirm": "This concerns at least 10000 mailboxes.",
    "job-confirm-chosen": "This concerns 1 mailbox.",
    "job-confirm-all": "This concerns 5000 mailboxes.",
}


@pytest.mark.parametrize("command", OFFERED)
def test_a_job_for_every_mailbox_is_refused_or_needs_their_number(command: JobCommand) -> None:
    asked = job_request({"command": command.value, "scope": "all", "confirmed": "yes", "number": " 5,000"})
    assert asked is not None
    assert asked.is_too_much == (command in DELETING)
    assert asked.is_confirmed_for(MatchCount(5000))
    assert not asked.is_confirmed_for(MatchCount(5001))
    assert not replace(asked, typed="").is_confirmed_for(MatchCount(5000))
    limited = job_request({"command": command.value, "scope": "all", "prefix": "ada"})
    assert limited is not None
    assert (limited.is_for_all, limited.is_too_much) == (False, False)
    assert limited.is_confirmed_for(MatchCount(2))


def test_a_job_for_all_that_match_an_id_is_for_this_mailbox() -> None:
    asked = job_request({"command": "pause", "scope": "all", "prefix": "0F" * 16})
    assert asked is not None
    assert (asked.chosen, asked.everybody) == (("0f" * 16,), False)


@pytest.mark.parametrize(
    ("reason", "lacks"), [("Matter 7", False), (" Matter 7 ", False), ("", True), ("x" * 501, True), ("a\nb", True)]
)
def test_a_hold_of_many_needs_its_reason_and_a_confirmation(reason: str, lacks: bool) -> None:
    fields = {"command": "hold", "chosen-m1": "on", "hold_reason": reason}
    asked = job_request(fields)
    assert asked is not None
    assert (asked.needs_confirmation, asked.lacks_reason) == (True, lacks)
    confirmed = job_request(asked.form() | {"hold_reason": reason})
    assert confirmed is not None
    assert (confirmed.needs_confirmation, confirmed.lacks_reason) == (False, lacks)
    assert confirmed.arguments == {"reason": reason.strip()}


def test_the_page_of_a_hold_of_many_asks_for_the_reason_again_if_it_is_wrong() -> None:
    template, values = console_pages(MAILBOX)["job-confirm-hold"]
    html = PAGES.render(template, **values)
    assert 'name="hold_reason"' in html
    assert english().text("console.confirm_job.no_reason") in html
    template, values = console_pages(MAILBOX)["job-confirm-lift"]
    assert english().lines("console.confirm.lift-hold.points")[0] in PAGES.render(template, **values)


def test_receipts_are_a_table_with_a_column_for_everything_that_was_counted() -> None:
    receipts = [
        ErasureReceipt("m1", "=a@contoso.example", NOW, {"items": 7, "packs": 1}, NOW, reconnected=True),
        ErasureReceipt("m2", "b@contoso.example", NOW, {"runs": 2}, None, organization_copy=True),
    ]
    rows = list(csv.DictReader(io.StringIO(receipts_csv(receipts))))
    assert [row["address"] for row in rows] == ["'=a@contoso.example", "b@contoso.example"]
    assert [row["erased_items"] for row in rows] == ["7", "0"]
    assert [row["token_held_until"] for row in rows] == [NOW.isoformat(), ""]
    assert [(row["reconnected"], row["organization_copy"]) for row in rows] == [("yes", "no"), ("no", "yes")]


def test_the_page_of_an_erasure_leads_to_its_receipts_and_says_how_many_are_missing() -> None:
    template, values = console_pages(MAILBOX)["job-done"]
    html = PAGES.render(template, **values)
    assert '/operator/jobs/j2/receipts">Download 4,990 receipts' in html
    assert "2 mailboxes have no receipt" in html
    template, values = console_pages(MAILBOX)["job"]
    assert "receipt" not in PAGES.render(template, **values)


def test_every_failure_of_a_job_has_a_sentence() -> None:
    of_mailboxes = [kind for kind in CommandRefused.__subclasses__() if kind.__module__ == CommandRefused.__module__]
    codes = {kind.code for kind in of_mailboxes} - {"too_soon"}
    assert codes | {"not_found"} <= set(english().keys("operator.reasons"))


def test_a_page_that_confirms_a_job_says_how_many_mailboxes_it_concerns() -> None:
    for name, sentence in CONFIRMED.items():
        template, values = console_pages(MAILBOX)[name]
        html = PAGES.render(template, **values).replace(",", "")
        assert sentence in html, name
        assert ('name="number"' in html) == (name == "job-confirm-all")


def test_what_is_typed_into_the_filters_is_posted_with_a_job() -> None:
    """The fields of a job belong to the form of the filters: there is no second form with other filters."""
    template, values = console_pages(MAILBOX)["list-5"]
    html = PAGES.render(template, **values)
    assert html.count('formaction="/operator/jobs"') == 2
    assert '<form class="card filters" id="filters"' in html
    assert html.count('name="chosen-') == html.count('form="filters" name="chosen-') == 5
    assert 'action="/operator/jobs"' not in html.replace('formaction="', "")


def test_a_filtered_list_has_a_link_and_an_address_has_none() -> None:
    asked = list_request({"status": "paused", "way": "shared", "sort": "address"})
    assert link_of(asked) == "/operator/mailboxes?status=paused&way=shared"
    assert request_of_link({"status": "paused", "way": "shared"}) == (asked, "")
    assert link_of(list_request({})) == "/operator/mailboxes"
    assert link_of(list_request({"prefix": "ada"})) == link_of(list_request({"cursor": "x"})) == ""


def test_mailboxes_on_hold_are_a_filter_with_a_link() -> None:
    asked = list_request({"hold": "on", "sort": "address"})
    assert asked.query.filters == {"hold": "on"}
    assert link_of(asked) == "/operator/mailboxes?hold=on"
    assert request_of_link({"hold": "on"}) == (asked, "")
    assert request_of_link({"hold": "off"})[1] == UNKNOWN_FILTER
    job = job_request({"command": "pause", "scope": "all", "hold": "on"})
    assert job is not None
    assert (job.filter, job.is_for_all) == ({"hold": "on"}, False)
    assert query_of(job.filter) == asked.query


@pytest.mark.parametrize(
    ("params", "notice"),
    [
        ({}, ""),
        ({"status": "", "sort": "stalest"}, ""),
        ({"prefix": "ada", "status": "active"}, ADDRESS_IN_LINK),
        ({"address": "x", "status": "active"}, ADDRESS_IN_LINK),
        ({"q": "ada@contoso.example", "status": "active"}, ADDRESS_IN_LINK),
        ({"cursor": "x", "status": "active"}, ADDRESS_IN_LINK),
        ({"status": "nonsense"}, UNKNOWN_FILTER),
        ({"sort": "nonsense"}, UNKNOWN_FILTER),
        ({"name": "ada", "status": "active"}, UNKNOWN_FILTER),
    ],
)
def test_a_link_is_not_read_in_silence(params: dict[str, str], notice: str) -> None:
    asked, told = request_of_link(params)
    assert told == notice
    assert asked.query.prefix == asked.cursor == ""
    assert asked.query.status == ("active" if params.get("status") == "active" else "")
    assert not told or english().text(f"console.list.notices.{told}")


@pytest.mark.parametrize("name", ["activate", "activate-results", "moves", "moves-none", "parity"])
def test_activation_and_moves_have_the_sections_of_the_console(name: str) -> None:
    template, values = all_pages()[name]
    html = PAGES.render(template, **values)
    assert 'aria-label="Sections"' in html
    assert html.count('aria-current="page"') == 1


@pytest.mark.parametrize("parameter", ["tenant", "authorization", "addresses", "csv"])
def test_an_activation_says_which_value_is_wrong(parameter: str) -> None:
    template, values = all_pages()["activate"]
    html = PAGES.render(template, **values | {"refused": parameter, "tenant": "typed"})
    assert f'role="alert">{english().text(f"activate.refused.{parameter}")}' in html
    assert ('aria-invalid="true"' in html) == (parameter == "tenant")
    assert 'value="typed"' in html
