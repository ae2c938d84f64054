"""The errors that a user can cause; each names the key, the value and the rule."""


class DseError(ValueError):
    """A mistake in an input: the message names the key, the value and the rule."""
