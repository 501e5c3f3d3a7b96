"""One typed function per operator action: permission, audit, idempotency, progress."""
