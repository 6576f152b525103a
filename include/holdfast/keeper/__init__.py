"""The small process that holds one fault."""
