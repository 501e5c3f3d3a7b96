"""Permissions, entitlements, limits and audit, asked in this one place."""
