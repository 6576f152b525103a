"""The storefront: its API and its page."""
