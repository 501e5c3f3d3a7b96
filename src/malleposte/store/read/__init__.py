"""Reads: a module a subject, SQL in, plain frozen values out. Nothing here writes."""
