"""Histories that the model has found once, played again as they were found."""

from shared.errors import AdministratorMustAct, Reason, RetryLater
from shared.sources.model import ContentLevel, SourceName
from shared.sync.scope import Scope
from tests.fakes.sync_harness import OUT
from tests.unit.sync.model import FAULTS, SyncModel


def test_contents_dropped_while_graph_does_not_give_them_come_back_over_ews() -> None:
    """Settings asked for metadata alone, then for contents again, of a folder that only EWS reads."""
    life = SyncModel()
    life.begin(touching=False, first=12, marks=False, versions_differ=True, immutable=True, page=2, carries_items=True)
    life.folder_is_emptied(where=282)
    life.folder_is_moved(to=99, where=61)
    life.item_is_edited_at_equal_length(often=1, which=1)
    life.after_quiet_passes_all_is_equal()
    life.move_is_asked_for(dry=False, forced=True)
    life.time_passes(seconds=1800)
    life.folder_is_emptied(where=0)
    life.item_gets_a_category(category="blue", which=896)
    life.folder_is_deleted(rescued=1, to=78, where=714)
    life.contact_group_is_made(where=148)
    metadata_alone = Scope(folders_out=OUT, content=ContentLevel.METADATA)
    life.settings_change_between_two_parts(request=11, scope=metadata_alone, sweep=True)
    life.after_quiet_passes_all_is_equal()
    life.settings_change(scope=Scope())
    life.sweep()
    life.a_move_of_a_quiet_mailbox_changes_nothing()
    life.a_move_of_a_quiet_mailbox_changes_nothing()
    life.teardown()


def test_a_read_item_moves_where_versions_cannot_be_compared() -> None:
    """EWS reports the read flag without the last-modified time that it moves, so the times differ over Graph."""
    life = SyncModel()
    life.begin(touching=True, first=11, marks=False, versions_differ=True, immutable=False, page=2, carries_items=False)
    life.after_quiet_passes_all_is_equal()
    life.item_is_read(read=False, which=0)
    life.a_move_of_a_quiet_mailbox_changes_nothing()
    life.teardown()


def test_a_folder_that_was_made_anew_during_a_survey_is_compared_after_the_move() -> None:
    """The survey had seen an earlier folder at the same place, without a difference."""
    life = SyncModel()
    life.begin(marks=False, versions_differ=False, carries_items=False, page=2, first=3, immutable=True, touching=False)
    life.folder_is_emptied(where=0)
    life.pass_with_a_fault_at_a_write(fault=FAULTS[0], sweep=False, write=1)
    life.move_is_asked_for(dry=False, forced=False)
    life.mailbox_is_restored_under_new_ids()
    life.pass_overtaken_by_another(request=1)
    life.mailbox_moves_and_something_fails(dies=True, request=1, write=1)
    life.pass_while_somebody_works(acts={1: ("move", 0, 0)}, sweep=False)
    life.teardown()


def test_an_item_that_became_private_within_a_second_is_not_kept_by_a_move() -> None:
    """Neither its time nor its size tells of the edit, and too few versions were seen to compare them."""
    life = SyncModel()
    life.begin(marks=False, page=2, versions_differ=False, carries_items=True, immutable=True, first=5, touching=False)
    life.source_is_closed(blocked={SourceName.EWS, SourceName.GRAPH})
    life.pass_()
    life.mailbox_moves_and_something_fails(dies=False, request=6, write=22)
    life.items_are_deleted(which=[668, 558, 5, 149])
    life.item_is_rewritten(named=("Sam@Fabrikam.example",), private=False, size=40, which=123)
    life.source_is_closed(blocked=set())
    blocked = AdministratorMustAct(Reason.EWS_BLOCKED)
    life.pass_with_a_fault_at_the_source(fault=lambda: blocked, request=7, sweep=False)
    life.item_is_rewritten(named=("Sam@Fabrikam.example",), private=True, size=40, which=288)
    life.teardown()


def test_an_edit_within_a_second_is_found_though_its_mime_cannot_be_had_at_the_move() -> None:
    """Of equal length; the message is kept in part until its MIME can be had again."""
    life = SyncModel()
    life.begin(marks=False, page=2, immutable=True, carries_items=True, touching=False, versions_differ=True, first=1)
    life.items_arrive(days=16, many=4, named=(), private=False, where=501)
    life.items_arrive(days=18, many=2, named=(), private=True, where=435)
    throttled = RetryLater(Reason.THROTTLED, retry_after=60)
    life.pass_with_a_fault_at_a_write(fault=lambda: throttled, sweep=False, write=16)
    life.source_is_closed(blocked={SourceName.EWS, SourceName.GRAPH})
    life.item_is_copied(where=404, which=631)
    life.item_is_copied(where=823, which=135)
    life.item_is_rewritten(named=("kim@contoso.example",), private=False, size=3, which=198)
    life.item_is_copied(where=136, which=130)
    life.mime_cannot_be_had_for_a_while(lacking=True, which=660)
    life.mailbox_is_stopped_in_mid_pass(again=True, request=6)
    life.after_quiet_passes_all_is_equal()
    life.mime_cannot_be_had_for_a_while(lacking=False, which=0)
    life.teardown()
    assert life.world.assumed() == []


def test_an_edit_of_equal_length_within_a_second_is_not_hidden_by_a_move() -> None:
    """Versions cannot be compared, and neither time nor size tells of the edit: the content has to be confirmed."""
    life = SyncModel()
    life.begin(marks=True, touching=True, first=14, page=2, carries_items=False, versions_differ=True, immutable=True)
    life.item_is_copied(where=0, which=598)
    life.item_is_copied(where=628, which=764)
    life.items_are_recovered(back=384, which=[570])
    life.item_is_copied(where=104, which=53)
    for _ in range(6):
        life.a_move_of_a_quiet_mailbox_changes_nothing()
    life.item_is_copied(where=332, which=367)
    life.items_are_moved(where=101, which=[400, 129, 329, 104, 256, 179])
    life.pass_that_is_slow(request=14, seconds=1, sweep=False)
    acts = {18: ("move", 334, 25), 17: ("move", 885, 46), 6: ("edit", 169, 80), 14: ("read", 138, 372)}
    blocked = AdministratorMustAct(Reason.EWS_BLOCKED)
    life.pass_in_which_everything_comes_together(acts=acts, faults={11: lambda: blocked}, sweep=True, write=14)
    life.teardown()


def test_a_pass_that_was_overtaken_does_not_replace_the_survey_of_the_switch() -> None:
    """Both survey the other source; the one that has lost its lease ends after the other has switched."""
    life = SyncModel()
    life.begin(marks=False, first=5, carries_items=False, versions_differ=True, page=512, immutable=True, touching=True)
    for _ in range(4):
        life.a_move_of_a_quiet_mailbox_changes_nothing()
    life.work_takes_longer(step=4)
    life.source_is_closed(blocked={SourceName.EWS})
    life.pass_overtaken_by_another(request=3)
    life.teardown()


def test_an_item_that_moved_while_it_could_not_be_fetched_is_found_in_its_new_folder() -> None:
    """Its issue was that of the old folder, and the comparison of the new one left it to the issue."""
    life = SyncModel()
    life.begin(first=7, carries_items=True, touching=False, versions_differ=True, immutable=True, marks=False, page=512)
    life.items_arrive(days=26, many=2, named=(), private=False, where=45)
    life.pass_whose_continuation_is_lost(sweep=False)
    life.item_is_passed_over_in_silence(silent=True, which=231)
    life.items_are_recovered(back=375, which=[582])
    life.move_is_asked_for(dry=False, forced=True)
    life.pass_()
    life.teardown()
