"""The vocabulary every stage shares, without any I/O."""
