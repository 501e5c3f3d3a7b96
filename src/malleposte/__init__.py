"""Malleposte: a self-hosted business mail system.

The house has floors; a package imports only from lower floors (see docs/architecture/tour.md and the
import-linter contracts in pyproject.toml)."""
