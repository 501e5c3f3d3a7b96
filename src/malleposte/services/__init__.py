"""Thin modules that join an engine, the store and delivery."""
