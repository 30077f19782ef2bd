"""How many patients are computed: in chunks, here or on a cluster, over any number of interruptions."""
