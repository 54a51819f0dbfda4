"""The values of the operator's pages."""

import csv
import io
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.errors import ActionNeeded, AdministratorMustAct, PersonMustSignIn, Reason, RetryLater
from shared.mailboxes.bulk.model import JobCommand, JobState
from shared.mailboxes.directory.listing import ListedMailboxes
from shared.mailboxes.directory.model import Sort
from shared.mailboxes.model import SHARED_OWNER_PREFIX, Status
from shared.mailboxes.summary.model import Concern, TrendPoint, total
from shared.pages.catalog import catalog_of, english
from shared.pages.console.jobs import job_request
from shared.pages.console.mailbox import OperatorAction, actions_of, mailbox_values, remedy_key
from shared.pages.console.mailbox_list import STALEST, csv_of, list_request, list_values
from shared.pages.console.overview import attention_ids, overview_values
from shared.pages.console.trend import HEIGHT, WIDTH, bar_width, trend_view
from shared.pages.languages import Language
from shared.pages.pages import Pages
from tests.unit.pages.console_samples import INTERVAL, NOW, console_pages, fleet, one, totals_of
from tests.unit.pages.samples import MAILBOX

PAGES = Pages("Contoso Ltd")
ROOT = Path(__file__).parents[3]


def test_the_share_is_never_rounded_to_all_or_nothing() -> None:
    many = fleet(MAILBOX, 3)
    totals = totals_of([*many, *([many[0]] * 5000), many[0].with_changes(complete_as_of=NOW - timedelta(hours=2))])
    assert overview_values(totals, [], NOW, INTERVAL, True)["share"] == "99.9%"
    assert overview_values(totals_of(many[:1]), [], NOW, INTERVAL, True)["share"] == "100%"
    assert overview_values(total([], 1, NOW), [], NOW, INTERVAL, True)["share"] == "–"


def test_the_overview_names_the_longest_waiting_and_links_to_their_list() -> None:
    waiting = [
        MAILBOX.with_changes(
            id=f"w{n}",
            address=f"w{n}@contoso.example",
            status=Status.NEEDS_SIGN_IN,
            reason="grant_revoked",
            last_success_at=NOW - timedelta(days=n),
        )
        for n in range(9)
    ]
    totals = totals_of(waiting)
    assert attention_ids(totals) == ["w8", "w7", "w6"]
    (group,) = overview_values(totals, waiting, NOW, INTERVAL, True)["attention"]
    assert (group.count, [mailbox.id for mailbox in group.mailboxes]) == (9, ["w8", "w7", "w6"])
    assert group.query == {"status": "needs_sign_in", "reason": "grant_revoked"}
    assert list_request(group.query).query.reason == "grant_revoked"


def test_an_overview_that_is_not_complete_is_not_good_news() -> None:
    """One of two shards is not counted: nobody knows whether its mailboxes are synced."""
    counted = totals_of(fleet(MAILBOX, 1))
    for totals, is_complete in ((counted, True), (replace(counted, missing=1), False)):
        html = PAGES.render("console/overview", **overview_values(totals, [], NOW, INTERVAL, True), csrf="c")
        assert ("tone-good" in html) == is_complete
        assert (english().text("console.attention.none") in html) == is_complete
        assert (english().text("console.attention.none_so_far") in html) == (not is_complete)
        assert (english().text("console.overview.missing") in html) == (not is_complete)
        assert "parts of the registry" not in html


def test_an_overview_without_mailboxes_says_how_the_first_is_connected() -> None:
    html = PAGES.render("console/overview", **overview_values(totals_of([]), [], NOW, INTERVAL, True), csrf="c")
    assert english().text("console.overview.empty") in html
    assert english().text("console.attention.none") not in html
    assert english().text("console.kinds.status") not in html


def test_the_runbook_has_the_alert_that_a_remedy_names() -> None:
    for catalog in (english(), catalog_of(Language.GERMAN)):
        (alert,) = re.findall(r"[“„]([\w-]+)[”“]", catalog.text("console.remedies.late"))
        assert f"\n### {alert}\n" in (ROOT / "docs" / "operations.md").read_text()


def test_a_named_mailbox_that_is_gone_is_left_out() -> None:
    totals = totals_of([MAILBOX.with_changes(status=Status.SUSPENDED)])
    (group,) = overview_values(totals, [], NOW, INTERVAL, True)["attention"]
    assert (group.count, group.mailboxes) == (1, ())


@pytest.mark.parametrize("concern", Concern)
@pytest.mark.parametrize("reason", ["", "ews_blocked", "bad_answer", "grant_revoked", "safety"])
def test_every_concern_has_one_thing_to_do(concern: Concern, reason: str) -> None:
    assert english().text(remedy_key(concern, reason))
    assert english().text(f"console.concerns.{concern.value}")


def test_the_trend_stays_within_its_frame_and_tells_the_worst() -> None:
    points = [TrendPoint(NOW + n * INTERVAL, synced=200, fresh=200 - n * 7) for n in range(10)]
    view = trend_view(points)
    assert view is not None
    assert view.worst == points[-1]
    assert view.lowest == 60.0
    places = [tuple(map(float, part.split(","))) for part in view.line.removeprefix("M").split(" L")]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert (places[0], places[-1][0]) == ((0.0, 0.0), WIDTH)
    assert trend_view(points[:1]) is None


def test_a_trend_without_mailboxes_is_flat() -> None:
    view = trend_view([TrendPoint(NOW), TrendPoint(NOW + INTERVAL)])
    assert view is not None
    assert (view.line, view.lowest) == (f"M0.0,0.0 L{WIDTH}.0,0.0", 90.0)


def test_a_bar_shows_one_of_many_and_nothing_of_none() -> None:
    assert (bar_width(1, 50_000), bar_width(0, 9), bar_width(9, 9), bar_width(0, 0)) == (0.5, 0.0, 100.0, 0.0)


def test_the_form_is_read_and_what_does_not_exist_is_left_out() -> None:
    asked = list_request({"prefix": " Ada ", "status": "paused", "reason": "<script>", "way": "shared", "sort": "x"})
    assert (asked.query.prefix, asked.query.filters) == ("Ada", {"status": "paused", "way": "shared"})
    assert (asked.query.sort, asked.stalest) == (Sort.ADDRESS, False)
    assert list_request({"sort": STALEST}).sort == STALEST
    assert list_request(asked.form()).query == asked.query


def test_a_whole_id_is_searched_for_as_such() -> None:
    assert list_request({"prefix": "0F" * 16}).by_id == "0f" * 16
    assert list_request({"prefix": "0f"}).by_id == ""


def test_pages_go_forward_and_back_to_the_first() -> None:
    totals, fields, seen = totals_of([]), dict[str, str](), list[str]()
    for cursor in ("two", "three", "four"):
        values = list_values(list_request(fields), ListedMailboxes((), cursor), totals, NOW, INTERVAL)
        fields = values["next_page"]
    while True:
        asked = list_request(fields)
        seen.append(asked.cursor)
        values = list_values(asked, ListedMailboxes(()), totals, NOW, INTERVAL)
        if (fields := values["previous_page"]) is None:
            break
    assert seen == ["four", "three", "two", ""]
    assert values["next_page"] is None


def test_the_number_is_told_where_the_totals_know_it() -> None:
    totals = totals_of(fleet(MAILBOX, 100))

    def counted(**fields: str) -> int | None:
        values = list_values(list_request(fields), ListedMailboxes(()), totals, NOW, INTERVAL)
        number: int | None = values["counted"]
        return number

    assert counted() == 100
    assert counted(source="graph") == totals.counts.by_source["graph"]
    assert counted(source="graph", status="active") is None
    assert counted(prefix="a") is None


def test_a_cell_of_the_csv_is_no_formula() -> None:
    formula = MAILBOX.with_changes(address="=cmd|'/c calc'!A0@x.example", complete_as_of=NOW, items=7, issues=2)
    plain = MAILBOX.with_changes(address='a"b,c@x.example', owner_id=f"{SHARED_OWNER_PREFIX}1", complete_as_of=None)
    rows = list(csv.DictReader(io.StringIO(csv_of([formula, plain]))))
    assert (rows[0]["complete_as_of"], rows[0]["items"], rows[0]["issues"]) == (NOW.isoformat(), "7", "2")
    assert rows[1]["complete_as_of"] == ""
    assert rows[0]["address"] == "'=cmd|'/c calc'!A0@x.example"
    assert rows[1]["address"] == 'a"b,c@x.example'
    assert rows[1]["way"] == "shared"


def test_the_csv_says_since_when_a_mailbox_is_on_hold() -> None:
    rows = list(csv.DictReader(io.StringIO(csv_of([MAILBOX, MAILBOX.with_changes(hold_since=NOW)]))))
    assert [row["on_hold_since"] for row in rows] == ["", NOW.isoformat()]


@pytest.mark.parametrize("status", Status)
def test_actions_fit_the_status_and_erasing_is_always_last(status: Status) -> None:
    actions = actions_of(MAILBOX.with_changes(status=status))
    assert actions[-1] is OperatorAction.ERASE
    assert (OperatorAction.SYNC in actions) == (status in (Status.ACTIVE, Status.NEEDS_ADMIN))
    assert actions_of(MAILBOX.with_changes(status=status, erasing_since=NOW)) == [OperatorAction.ERASE]
    assert (OperatorAction.RESET in actions) == (status not in (Status.PAUSED, Status.DISCONNECTED))
    assert english().text(f"console.actions.{actions[0].value}")


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        (PersonMustSignIn(Reason.GRANT_REVOKED, support="AADSTS50173"), "console.remedies.sign_in"),
        (AdministratorMustAct(Reason.EWS_BLOCKED), "operator.remedies.ews_blocked"),
        (RetryLater(Reason.THROTTLED), ""),
    ],
)
def test_a_check_says_why_the_mailbox_cannot_be_read(refusal: ActionNeeded, told: str) -> None:
    template, values = one(MAILBOX, refusal=refusal)
    html = PAGES.render(template, **values)
    assert english().text(f"operator.reasons.{refusal.reason}") in html
    assert values["refusal_remedy"] == told
    assert not told or english().text(told) in html
    assert refusal.support in html


@pytest.mark.parametrize("status", Status)
def test_every_mailbox_that_is_connected_can_be_checked(status: Status) -> None:
    assert (OperatorAction.CHECK in actions_of(MAILBOX.with_changes(status=status))) == (
        status is not Status.DISCONNECTED
    )


def test_reading_anew_is_confirmed_with_what_it_does() -> None:
    html = PAGES.render("console/confirm", csrf="c", mailbox=MAILBOX, action=OperatorAction.RESET.value)
    assert "Nothing else is downloaded again" in html


@pytest.mark.parametrize("status", Status)
def test_mailbox_on_hold_offers_no_erasure_and_shows_why(status: Status) -> None:
    assert OperatorAction.ERASE not in actions_of(MAILBOX.with_changes(status=status, hold_since=NOW))
    template, values = console_pages(MAILBOX)["mailbox-on-hold"]
    html = PAGES.render(template, **values)
    assert "Matter 7 &lt;b&gt;" in html
    assert f"/operator/mailboxes/{MAILBOX.id}/lift-hold" in html
    assert f"/operator/mailboxes/{MAILBOX.id}/erase" not in html
    template, values = console_pages(MAILBOX)["list-on-hold"]
    assert english().text("console.list.on_hold") in PAGES.render(template, **values)


def test_page_says_what_to_do_with_the_link_and_with_an_interrupted_erasure() -> None:
    for name, key in (("mailbox-signs-in", "send_link"), ("mailbox-erasing", "erasing_hint")):
        template, values = console_pages(MAILBOX)[name]
        assert english().text(f"console.mailbox.{key}") in PAGES.render(template, **values)


def test_a_reader_is_offered_no_action() -> None:
    values = mailbox_values(
        MAILBOX, runs=[], issues=[], activity=[], folders=[], now=NOW, interval=INTERVAL, is_operator=False
    )
    assert values["actions"] == []
    template, shown = console_pages(MAILBOX)["mailbox"]
    assert '<form method="post" action="/operator' not in PAGES.render(template, **shown)


def test_an_operator_sees_no_name_of_an_item() -> None:
    """Subjects and folders of items are for the owner: an issue is told by its id."""
    template, values = console_pages(MAILBOX)["mailbox-operator"]
    html = PAGES.render(template, **values)
    assert "AAMkAGI2T1" in html
    assert "9 more" in html


def test_the_page_of_a_mailbox_says_in_words_what_its_numbers_mean() -> None:
    template, values = one(MAILBOX.with_changes(first_sync_done=True, in_scope=112, items=100, issues=5))
    html = PAGES.render(template, **values)
    assert "12 items are not copied: 7 left out by other settings, 5 with issues." in html
    assert "In your mailbox" not in html
    assert "0 · 0" not in html
    template, values = one(MAILBOX.with_changes(failures=2, rejections=1))
    assert "2 failed syncs, 1 rejection by the mail server" in PAGES.render(template, **values)


def test_a_job_is_read_from_the_list_and_asks_first_for_what_is_final() -> None:
    some = job_request({"command": "pause", "chosen-a1": "on", "chosen-b2": "on", "status": "active"})
    assert some is not None
    assert (some.chosen, some.everybody, some.needs_confirmation) == (("a1", "b2"), False, False)
    everybody = job_request({"command": "pause", "scope": "all", "status": "active", "prefix": "ad", "sort": "newest"})
    assert everybody is not None
    assert everybody.filter == {"status": "active", "prefix": "ad"}
    assert everybody.needs_confirmation
    final = job_request({"command": "erase", "chosen-a1": "on"})
    assert final is not None
    assert final.needs_confirmation
    again = job_request(final.form())
    assert again is not None
    assert (again.chosen, again.needs_confirmation) == (("a1",), False)
    anew = job_request({"command": "reset", "chosen-a1": "on"})
    assert anew is not None
    assert anew.needs_confirmation
    moved = job_request({"command": "move", "chosen-a1": "on"})
    assert moved is not None
    assert moved.arguments == {"to": "graph"}


@pytest.mark.parametrize(
    "fields", [{}, {"command": "pause"}, {"command": "activate", "scope": "all"}, {"scope": "all"}]
)
def test_a_form_that_asks_for_nothing_makes_no_job(fields: dict[str, str]) -> None:
    assert job_request(fields) is None


@pytest.mark.parametrize("command", JobCommand)
def test_every_command_and_state_of_a_job_has_its_words(command: JobCommand) -> None:
    assert english().text(f"console.jobs.commands.{command.value}")
    assert set(english().keys("console.jobs.states")) == set(JobState)
