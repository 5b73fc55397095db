"""As where openvino is not installed."""
raise ImportError("none here")
