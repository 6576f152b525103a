"""What the shop says when it cannot go on."""


class ShopError(Exception):
    """The shop could not be started or stopped; the message names the cure."""
