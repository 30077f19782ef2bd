"""Experiments run in chunks, here or on a cluster, over any number of interruptions; and what they leave."""

from tumor_abm._base.lazy import modules_of

__getattr__ = modules_of(__name__)
