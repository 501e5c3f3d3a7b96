"""From a received message to mailboxes: receive, route, file."""
