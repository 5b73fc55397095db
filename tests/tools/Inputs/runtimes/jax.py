"""As where jax is not installed."""
raise ImportError("none here")
