"""A message: structure with byte offsets, headers, addresses, dates, charsets, rendered columns."""
