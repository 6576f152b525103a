"""Frameworks as data, and how controls stand by what runs have shown."""
