"""Mail in files of other programs: mbox, Maildir, folders of .eml; read by imports, written by exports.

It runs in the operator's command with the operator's rights, never in the server. Reading is bounded and
goes on past what is damaged: a record that cannot be taken is a ``Skipped``. ``form`` finds out what a
path holds. Folder names are full names with levels joined by ``/``.
"""
