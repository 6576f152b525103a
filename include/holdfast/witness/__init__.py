"""A witness: a process of its own that signs the heads of logs which have only grown."""
