"""Commands of `loyalty` that are more than one call."""
