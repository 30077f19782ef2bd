"""The door for people: ``tumor-abm``."""

from tumor_abm.cli.main import main

__all__ = ["main"]
