"""What an operator can do: one typed function an action; the command line, the API and the console call it.

``perform`` is the only way in. It asks ``policy`` for permission, runs the function, and writes the audit
line (done, refused, failed; never a secret) before anything is acknowledged. Each operation can be
repeated safely; its docstring says what a second run does. Nothing here opens a path that was named by
a client: files are read and written by ``mailfiles``, which runs with the operator's own rights.
"""
