"""What peers.py calls of the module of this name: every model doubles its feeds."""
import os

__version__ = "9.9.9"


class SessionOptions:
    intra_op_num_threads = inter_op_num_threads = 0


class InferenceSession:
    def __init__(self, path, options, providers):
        assert os.path.exists(path) and options.intra_op_num_threads == 1 and providers == ["CPUExecutionProvider"]

    def run(self, fetches, feeds):
        return [2 * value for value in feeds.values()]
