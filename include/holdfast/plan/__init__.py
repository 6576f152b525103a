"""Suite to outline, outline and targets to plan; pure."""
