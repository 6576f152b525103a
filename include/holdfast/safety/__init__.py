"""Guard decisions; pure."""
