"""The clock left alone: the app syncs again and again by its own schedule."""

from pathlib import Path

from sandbox.compare import compare
from sandbox.local.form_browser import FormBrowser
from sandbox.local.local_stack import local_stack
from tests.waiting import eventually

PERSON = "finn@contoso.example"


def test_left_alone_the_timer_syncs_again_and_again(tmp_path: Path) -> None:
    settings = {"SYNC_SCHEDULE": "*/4 * * * * *"}
    with local_stack(tmp_path, "--in-memory", "--messages", "10", settings=settings) as running:
        browser = FormBrowser(running.ca, PERSON, running.sandbox.password(PERSON))
        browser.sign_in(running.url)
        browser.close()
        parts = running.parts()
        (mailbox,) = parts.registry.all()
        eventually("the first sync", lambda: parts.registry.get(mailbox.id).first_sync_done)
        begun = {run.started_at for run in parts.registry.runs(mailbox.id)}
        before = len(begun)
        running.sandbox.control.call("POST", f"/mailboxes/{PERSON}/messages?folder=Inbox", data=b"Subject: one\n\nx\n")

        def more() -> bool:
            """Of passes that found nothing only the latest is kept."""
            begun.update(run.started_at for run in parts.registry.runs(mailbox.id, 1))
            return len(begun) >= before + 3

        eventually("three more passes", more)
        truth = running.sandbox.control.get(f"/mailboxes/{PERSON}/truth")
        found = compare(truth, parts.replica, mailbox.id)
        assert found.is_equal, str(found)
        assert found.items == 1
