"""IMAP: the engine of ``wire.imap`` joined to the store, the directory and sign-in.

A family of commands is a module with its ``HANDLERS``. Nothing here parses a message: what FETCH sends
was rendered when it came. Who does what (a test holds this list against the folder):

Connection: ``service`` (what a listener serves), ``settings``, ``session`` (one connection), ``registry``
(which handler for which command), ``replies`` (how commands end badly), ``signin``, ``compressing``,
``general`` (CAPABILITY, NOOP, ID …).

Names and mailboxes: ``names`` (full names and namespaces), ``patterns``, ``listing`` (LIST, LSUB),
``listed`` (the names they speak of), ``outline`` (all names, small), ``known_names`` (names as hashes),
``old_names`` (OLDNAME), ``mailbox_commands`` (CREATE …), ``role_names``, ``special_use``, ``status``,
``rights`` (ACL), ``quotas``, ``metadata``.

The selected mailbox: ``select``, ``selected`` (view less what the client knows), ``numbering``, ``updates``
(EXISTS, EXPUNGE, FETCH by itself), ``resync`` (QRESYNC), ``recency``, ``seen``, ``idle``.

Other mailboxes (NOTIFY): ``notifying`` (the command), ``watched`` (shared by sessions), ``watching`` (one
session's), ``mailbox_news`` (what there is to tell).

Reading: ``fetch``, ``fetch_plan`` (which columns), ``fetch_slice`` (some messages), ``fetch_bodies``,
``fetch_binary``, ``at_hand`` (emails opened not long ago), ``octets``, ``internal_date``.

Finding: ``searching`` (SEARCH), ``search_program`` (cheapest keys first), ``search_columns``,
``search_content`` (headers and bodies); ``sorting`` (SORT), ``sort_keys``, ``sort_runs``,
``envelope_first``; ``threads`` (THREAD), ``thread_trees``.

Changing: ``appending`` and ``replacing``, both by ``receiving``; ``copying`` (COPY, MOVE), ``storing``
(STORE, EXPUNGE), ``ranges`` (UIDs cut for the store).
"""

from malleposte.services.imapd.service import ImapService, Observer, Push
from malleposte.services.imapd.settings import ImapSettings

__all__ = ["ImapService", "ImapSettings", "Observer", "Push"]
