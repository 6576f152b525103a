"""Pages to watch runs by; whoever mounts them says who may see them and who may stop a run."""
