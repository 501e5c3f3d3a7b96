"""Signing in on the web, and what a person sees to about it: JSON under ``/auth/``."""

from malleposte.services.web.auth.site import AuthSite

__all__ = ["AuthSite"]
