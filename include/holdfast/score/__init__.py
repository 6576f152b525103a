"""How resilient a service has been, and what to make of a run: pure."""
