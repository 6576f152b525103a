"""What the use cases need from outside, as small protocols. Import them from their modules."""
