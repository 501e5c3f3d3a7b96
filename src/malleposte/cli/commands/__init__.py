"""A module a command, imported when it is used; each turns words into requests and answers into words."""
