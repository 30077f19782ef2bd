"""What writes our own docs and defaults, from a checkout; not in the wheel."""
