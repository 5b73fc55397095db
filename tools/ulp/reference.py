"""Writes what the reference makes of floats, for ulp --results.

    python3 tools/ulp/reference.py FOLDER [--stride=1009] [NAME ...]
    build/release/bin/ulp --all --stride=1009 --results=FOLDER

One file NAME.f32 for each function of one argument: its value at the bit
patterns 0, STRIDE, 2 STRIDE ... below 2^32. Needs tensorflow and numpy.
"""

import argparse
import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import numpy as np
import tensorflow as tf

OPS = {
    "exp": tf.math.exp,
    "expm1": tf.math.expm1,
    "log": tf.math.log,
    "log1p": tf.math.log1p,
    "tanh": tf.math.tanh,
    "sigmoid": tf.math.sigmoid,
    "rsqrt": tf.math.rsqrt,
    "erf": tf.math.erf,
    "erfc": tf.math.erfc,
    "sin": tf.math.sin,
    "cos": tf.math.cos,
    "tan": tf.math.tan,
    "asin": tf.math.asin,
    "acos": tf.math.acos,
    "atan": tf.math.atan,
    "sinh": tf.math.sinh,
    "cosh": tf.math.cosh,
    "asinh": tf.math.asinh,
    "acosh": tf.math.acosh,
    "atanh": tf.math.atanh,
    "softplus": tf.math.softplus,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "silu": lambda x: x * tf.math.sigmoid(x),
    "gelu": lambda x: 0.5 * x * (1 + tf.math.tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
}
BLOCK = 1 << 22


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--stride", type=int, default=1009)
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    for name in args.names or OPS:
        with open(args.folder / f"{name}.f32", "wb") as out:
            for start in range(0, 1 << 32, BLOCK * args.stride):
                bits = np.arange(start, min(1 << 32, start + BLOCK * args.stride), args.stride, dtype=np.uint64)
                out.write(OPS[name](tf.constant(bits.astype(np.uint32).view(np.float32))).numpy().tobytes())


if __name__ == "__main__":
    main()
