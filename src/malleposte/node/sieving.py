"""Sieve at delivery and ManageSieve, made of the configuration."""

from malleposte.delivery.leaving import Sending
from malleposte.delivery.passing import Passing
from malleposte.delivery.sieving import Redirecting, Sieving, SievingSettings
from malleposte.delivery.sieving.failing import FailureNotices
from malleposte.delivery.sieving.notifying import Notifications
from malleposte.delivery.sieving.replying import Replies
from malleposte.delivery.sieving.work import FAILURE_JOB, REJECTION_JOB, REPLY_JOB
from malleposte.directory.book import Book
from malleposte.directory.senders import Senders
from malleposte.node.config import Configuration
from malleposte.node.settings import hostname
from malleposte.runtime.jobs import Run
from malleposte.store import Store


def sieving(
    store: Store, book: Book, configuration: Configuration, sending: Sending | None
) -> Sieving:
    """What runs scripts at delivery. ``sending``: None where nothing is sent to others."""
    passing = None
    if sending is not None:
        passing = Passing(store.reader, Senders(store, book), sending)
    redirecting = Redirecting(store.reader, book, sending, passing)
    return Sieving(store, book, redirecting, SievingSettings(hostname(configuration)))


def jobs(
    store: Store, book: Book, configuration: Configuration, sending: Sending | None
) -> dict[str, Run]:
    """What runs the work that follows from scripts."""
    name = hostname(configuration)
    runs = sieving(store, book, configuration, sending)
    return {
        REPLY_JOB: Replies(store, book, name, sending, runs).run,
        REJECTION_JOB: Notifications(store, book, name, sending, runs).run,
        FAILURE_JOB: FailureNotices(store, book, name).run,
    }
