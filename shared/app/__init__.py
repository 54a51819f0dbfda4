"""The composition root: the only place that names concrete classes. Everything is created on first use.

Each module has the components of one subject. Its class inherits from the classes whose components it needs, so the
bases show what depends on what. To add a component, add a cached property to its subject's module that imports and
creates it from the components it needs; for a new subject, add a module and a base of `App`.
"""

import functools

from shared.app.base import utc_now
from shared.app.monitoring import MonitoringComponents
from shared.app.notices import NoticeComponents
from shared.app.scheduling import SchedulingComponents
from shared.app.sync import SyncComponents

__all__ = ["App", "app", "utc_now"]


class App(SchedulingComponents, SyncComponents, MonitoringComponents, NoticeComponents):
    """The components of one process. Vendor packages are imported when a component that needs them is first used."""


@functools.cache
def app() -> App:
    """The components of this process. From here on its metrics are sent where the settings say."""
    from shared.metrics import recording

    components = App()
    recording.configure(components.open_metrics)
    return components
