"""Find isolation anomalies from who read what: the shared part of list_append and rw_register."""
