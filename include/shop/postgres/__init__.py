"""PostgreSQL: two nodes, one of them the primary, and who decides which."""
