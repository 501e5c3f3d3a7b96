"""What any worker does for all: jobs as they fall due, and upkeep now and then."""

from collections.abc import Callable

from malleposte.delivery.held_notice import HeldNotices
from malleposte.delivery.leaving import Sending
from malleposte.delivery.new_device_notice import NewDeviceNotices
from malleposte.delivery.quota_warning import QuotaWarning
from malleposte.delivery.reports import REPORT_JOB, Reporter
from malleposte.delivery.tls_reports.reporter import TLS_REPORT_JOB
from malleposte.delivery.unsigned_notice import UNSIGNED_JOB, UnsignedNotices
from malleposte.directory.book import Book
from malleposte.node import outbound, sieving, wiring
from malleposte.node.config import Configuration
from malleposte.node.settings import hostname
from malleposte.runtime import parting, upkeep
from malleposte.runtime.jobs import Run, Task
from malleposte.store import Store
from malleposte.store.execute.allowing import HELD_JOB
from malleposte.store.execute.deleting import SWEEP_JOB
from malleposte.store.execute.parting import PART_JOB
from malleposte.store.execute.purging import PURGE_JOB
from malleposte.store.execute.sessions import NEW_DEVICE_JOB
from malleposte.store.quota import PURGE_OLDEST_JOB, QUOTA_JOB

ROUTING = 10.0
"""Seconds until what is queued goes by a routing that was changed."""


def jobs(
    store: Store,
    book: Book,
    configuration: Configuration,
    sending: Sending | None = None,
    purged: Callable[[int], object] = lambda count: None,
) -> dict[str, Run]:
    """What runs the jobs of each kind. ``sending``: None where nothing is sent to others. ``purged`` is
    told how many recoverable messages went before their time."""
    allowed = configuration.store.recoverable_size
    warning = QuotaWarning(store, hostname(configuration), configuration.quota.grace)
    reporter = Reporter(store, book, outbound.reporter_settings(configuration))
    return {
        QUOTA_JOB: warning.run,
        HELD_JOB: HeldNotices(store, book, hostname(configuration)).run,
        NEW_DEVICE_JOB: NewDeviceNotices(store, book, hostname(configuration)).run,
        UNSIGNED_JOB: UnsignedNotices(store, book, hostname(configuration)).run,
        PURGE_JOB: lambda job: upkeep.purge_account(store, job),
        SWEEP_JOB: lambda job: upkeep.sweep_mailbox(store, job),
        PART_JOB: lambda job: parting.part_copies(store, job),
        PURGE_OLDEST_JOB: lambda job: upkeep.purge_oldest(store, job, allowed, purged),
        REPORT_JOB: reporter.run,
        TLS_REPORT_JOB: outbound.tls_reporter(store, book, configuration).run,
        **sieving.jobs(store, book, configuration, sending),
    }


def upkeep_tasks(
    store: Store, book: Book, configuration: Configuration
) -> dict[str, tuple[float, Task]]:
    """Seconds from one time to the next, and what is done."""
    settings = wiring.upkeep_settings(configuration)
    allowed = configuration.store.recoverable_size
    tasks: dict[str, tuple[float, Task]] = {
        "purge": (3600.0, lambda: upkeep.purge(store, allowed)),
        "blobs": (3600.0, lambda: upkeep.sweep_blobs(store, settings.sweep_after)),
        "orphans": (86_400.0, lambda: upkeep.sweep_orphans(store, settings.sweep_after)),
        "records": (3600.0, lambda: upkeep.sweep_records(store, settings)),
        "tombstones": (86_400.0, lambda: upkeep.sweep_tombstones(store, settings)),
    }
    if configuration.sending.enabled:
        policies = outbound.tls_policies(store, configuration)
        reporter = outbound.tls_reporter(store, book, configuration)
        tasks["routing"] = (ROUTING, lambda: outbound.reroute(store, configuration))
        tasks["mta-sts"] = (3600.0, policies.sts.refresh)
        tasks["tls-reports"] = (3600.0, reporter.due)
    return tasks
