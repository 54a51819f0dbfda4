"""How a mailbox misbehaves over Graph, as real ones do; the control port sets it, mailbox by mailbox.

What strikes single requests (an error, a duplicate in a round, an empty page) is a fault of kind `graph` instead.
"""

from dataclasses import dataclass

SMIME = ("app_only", "always", "never")


@dataclass(slots=True)
class Behavior:
    """The switches of one mailbox.

    - `over_quota`: delta writes its state into the mailbox, so a full one answers 403 ErrorQuotaExceeded to it while
      plain reads go on (doc string of mailFolders/delta in Microsoft's SDK).
    - `opaque_smime`: for whom the MIME of opaque S/MIME cannot be made (LogicLabs-OU/OpenArchiver#487).
    - `largest_events_page`: events/delta with bigger pages answers 503 with an empty body (alcionai/corso); 0: never.
    - `corrupt_breaks_pages`: a corrupt item makes every page that holds it answer 500 (docs-contrib issue 7758).
    - `on_premises`: the mailbox is not hosted in Exchange Online.
    - `own_ids`: ids are not the EWS ids in other letters, so that only translateExchangeIds tells them.
    - `own_change_keys`: an item's change key is another one than over EWS.
    - `own_times`: an item's last-modified time is a second later than over EWS.
    - `own_sizes`: PidTagMessageSize of an item is some bytes more than the size over EWS.
    """

    over_quota: bool = False
    opaque_smime: str = "app_only"
    largest_events_page: int = 0
    corrupt_breaks_pages: bool = False
    on_premises: bool = False
    own_ids: bool = False
    own_change_keys: bool = False
    own_times: bool = False
    own_sizes: bool = False
