"""How laws are tried: a busy machine is no reason to fail."""

from hypothesis import settings

settings.register_profile("house", deadline=None)
settings.load_profile("house")
