"""Reports about TLS towards other servers, for the domains that want them (RFC 8460)."""
