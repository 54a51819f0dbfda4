"""The operator's forms of groups, and whose setting leaves items out."""

import pytest

from shared.mailboxes.directory.counting import MatchCount
from shared.mailboxes.groups.model import Group, GroupSettings, ScopeSettings
from shared.mailboxes.groups.origins import SettingOrigin, origins_of
from shared.pages import paths
from shared.pages.catalog import catalog_of, english
from shared.pages.console.groups import form_of, group_form, group_values
from shared.pages.console.jobs import job_request
from shared.pages.console.list_link import link_of, request_of_link
from shared.pages.console.mailbox_list import list_request
from shared.pages.languages import Language
from shared.pages.pages import Pages
from shared.sources.model import ContentLevel
from tests.unit.pages.console_samples import GROUPS, NOW, console_pages, group_pages, one
from tests.unit.pages.samples import MAILBOX, all_pages, live

PAGES = Pages("Contoso")
PAGES_OF_PEOPLE = ("landing", "invitation", "invitation-group", "my-sync-up-to-date")
FULL = GroupSettings(
    folders_in=(),
    folders_out=("junkemail", "Projects/a, b"),
    mail_days=0,
    content=ContentLevel.BODY,
    largest_item_mb=25,
    private_items=False,
    exclude=("@fabrikam.example",),
    retention_days=30,
)


@pytest.mark.parametrize("settings", [GroupSettings(), FULL, GroupSettings(private_items=True)])
def test_form_that_is_sent_unchanged_changes_nothing(settings: GroupSettings) -> None:
    group = Group("legal", NOW, description="Matter 7", settings=settings)
    form = group_form(form_of(group))
    assert (form.settings, form.description, form.wrong) == (settings, "Matter 7", "")


@pytest.mark.parametrize(
    "fields",
    [{"mail_days": "many"}, {"retention_days": "1.5"}, {"content": "all"}, {"private_items": "perhaps"}],
)
def test_value_that_cannot_be_read_is_named(fields: dict[str, str]) -> None:
    (name,) = fields
    assert group_form(fields).wrong == name
    assert english().text(f"console.groups.settings.{name}")


def test_list_without_its_box_is_the_deployments() -> None:
    assert group_form({"exclude": "@a.example"}).settings == GroupSettings()
    assert group_form({"exclude": " \n"}).wrong == ""
    assert group_form({"exclude": "", "exclude-own": "on"}).settings == GroupSettings(exclude=())


def test_list_without_its_box_is_not_passed_over() -> None:
    """Somebody who types addresses to exclude and forgets the box would believe that they are excluded."""
    form = group_form({"exclude": "@a.example"})
    assert form.wrong == "exclude"
    values = group_values(GROUPS[0], ScopeSettings(), MatchCount(0), form=form)
    html = PAGES.render("console/group", csrf="c", is_operator=True, **values)
    assert "Tick the box below the list" in html
    assert "@a.example</textarea>" in html


def test_refused_form_keeps_what_was_typed() -> None:
    template, values = console_pages(MAILBOX)["group-wrong"]
    html = PAGES.render(template, **values)
    assert 'value="many"' in html
    assert "@fabrikam.example</textarea>" in html


def test_only_operators_get_forms() -> None:
    for (template, values), (_, read) in zip(
        group_pages().values(), group_pages(is_operator=False).values(), strict=True
    ):
        assert 'name="csrf"' in PAGES.render(template, **values)
        assert f'action="{paths.GROUPS}' not in PAGES.render(template, **read).replace('id="', "")


def test_mailbox_whose_group_is_missing_says_so() -> None:
    template, values = one(MAILBOX.with_changes(group="gone"))
    assert english().text("console.group.missing") in PAGES.render(template, **values)


def test_job_and_list_name_their_groups() -> None:
    asked = job_request({"command": "group", "scope": "all", "group": "board", "to_group": "legal"})
    assert asked is not None
    html = PAGES.render("console/confirm_job", job=asked, csrf="c", count=MatchCount(2))
    assert "<strong>legal</strong>" in html
    assert 'name="to_group" value="legal"' in html
    assert (asked.arguments, asked.filter) == ({"group": "legal"}, {"group": "board"})
    assert job_request(asked.form()) == job_request(asked.form() | {"to_group": "legal"})
    assert english().text("console.group.effect") in html
    chosen = job_request({"command": "group", "chosen-a": "on"})
    assert chosen is not None
    assert chosen.needs_confirmation
    assert chosen.arguments == {"group": "default"}
    listed = list_request({"group": "legal"})
    assert link_of(listed) == "/operator/mailboxes?group=legal"
    assert request_of_link({"group": "legal"}) == (listed, "")


def test_list_and_job_are_narrowed_to_mailboxes_in_no_group() -> None:
    asked = job_request({"command": "group", "scope": "all", "group": "default", "to_group": "legal"})
    assert asked is not None
    assert (asked.filter, asked.is_for_all) == ({"group": "default"}, False)
    html = PAGES.render("console/confirm_job", job=asked, csrf="c", count=MatchCount(2))
    template, values = console_pages(MAILBOX)["list-no-group"]
    listed = PAGES.render(template, **values)
    assert english().text("console.list.no_group") in html
    assert f'<option value="default" selected>{english().text("console.list.no_group")}' in listed
    assert request_of_link({"group": "default"})[1] == ""


def test_setting_that_leaves_items_out_is_named_with_its_owner() -> None:
    mailbox = MAILBOX.with_changes(in_scope=MAILBOX.items + 9, private_left_out=3, first_sync_done=True)
    deployment = ScopeSettings(exclude=("@x.example",))
    own = GROUPS[1].with_changes(settings=GroupSettings(private_items=False, mail_days=90))
    assert origins_of(mailbox, None, deployment) == [
        SettingOrigin("private", "SYNC_PRIVATE_ITEMS"),
        SettingOrigin("by_settings", "SYNC_EXCLUDE"),
    ]
    assert origins_of(mailbox, own, deployment) == [
        SettingOrigin("private", "SYNC_PRIVATE_ITEMS", "legal"),
        SettingOrigin("by_settings", "SYNC_MAIL_DAYS", "legal"),
        SettingOrigin("by_settings", "SYNC_EXCLUDE"),
    ]
    assert origins_of(MAILBOX.with_changes(in_scope=MAILBOX.items), own, deployment) == []


@pytest.mark.parametrize("language", Language)
def test_person_reads_the_group_its_setting_and_the_retention(language: Language) -> None:
    html = Pages("Contoso", catalog=catalog_of(language)).render("_live", **live("in-group"))
    assert "SYNC_PRIVATE_ITEMS" in html
    assert html.count("legal") >= 2
    assert "365" in html


@pytest.mark.parametrize("language", Language)
def test_page_says_whose_settings_it_shows(language: Language) -> None:
    """The landing page shows the deployment's and says so; an invitation and My sync show those that apply."""
    pages, catalog = Pages("Contoso", catalog=catalog_of(language)), catalog_of(language)
    note = catalog.text("landing.groups_note", organization="Contoso")
    shown = {name: pages.render(all_pages()[name][0], **all_pages()[name][1]) for name in PAGES_OF_PEOPLE}
    assert {name: note in html for name, html in shown.items()} == {
        "landing": True,
        "invitation": False,
        "invitation-group": False,
        "my-sync-up-to-date": False,
    }
    private = catalog.text("landing.read_private_in")
    assert {name for name, html in shown.items() if private in html} == {"invitation-group"}
    assert catalog.text("landing.kept_longer", count=365) in shown["invitation-group"]


@pytest.mark.parametrize("name", ["activate", "invitations"])
def test_form_that_connects_mailboxes_offers_the_groups(name: str) -> None:
    template, values = all_pages()[name]
    assert '<option value="legal"' in PAGES.render(template, **values)
    without = PAGES.render(template, **values | {"groups": []})
    assert 'name="group"' not in without
