"""The demo target: a small storefront of real processes, there to be broken."""
