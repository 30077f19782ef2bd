"""The fuzz job: mutated configs, calls, names and files through every door; see `python -m fuzz --help`."""
