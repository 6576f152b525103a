"""The payment service: a dependency of the shop, in a process of its own."""
