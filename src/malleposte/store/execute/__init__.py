"""What each command does: one coroutine per command, over the open ``Work`` of a transaction.

``batch`` maps a command's class to its coroutine. A coroutine either answers, having changed what
it says, or answers ``Refused``, having changed nothing. An exception gives up the whole transaction.
"""
