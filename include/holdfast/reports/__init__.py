"""Report renderers: one file each, exporting RENDERER."""
