"""Reports to senders: what became of their messages (RFC 3461, RFC 3464), and
disposition notifications: read receipts, rejections by filters (RFC 8098).

``reports`` decides who is told what, as jobs that go into the store with the outcomes they follow from;
``Reporter`` runs those jobs. Nobody is told about a message of the null sender, or about a report.
"""

from .arrived import arrived
from .decide import reporting, reports
from .job import REPORT_JOB, Fate, ReportJob, read_job
from .receipt import Notifier, read_receipt, rejection
from .runner import Reporter, ReporterSettings

__all__ = [
    "REPORT_JOB",
    "Fate",
    "Notifier",
    "ReportJob",
    "Reporter",
    "ReporterSettings",
    "arrived",
    "read_job",
    "read_receipt",
    "rejection",
    "reporting",
    "reports",
]
