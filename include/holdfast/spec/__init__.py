"""The YAML border: text to Suite, each error with its place."""
