"""OSCAL documents that follow from signed records; pure."""
