"""The only way out for fetches on behalf of content or users."""
