#!/usr/bin/env python3
"""Trains the graphs that export_training wrote with TensorFlow itself, and
compares the losses step by step.

  export_training DIR
  with_tensorflow.py DIR        (pip install tensorflow-cpu, outside the project)

Exits with 1 where a loss differs by more than the tolerance.
"""
import glob
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
import numpy as np
import tensorflow.compat.v1 as tf

TOLERANCE = 1e-4  # relative; rounding differs, and training amplifies it


def train(path):
    name = os.path.basename(path)[:-3]
    ours = np.load(f"{path[:-3]}.losses.npy")
    definition = tf.GraphDef()
    with open(path, "rb") as file:
        definition.ParseFromString(file.read())
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        feeds = {}
        for file in glob.glob(f"{path[:-3]}.*.npy"):
            feed = os.path.basename(file)[len(name) + 1:-4]
            if feed != "losses":
                feeds[f"{feed}:0"] = np.load(file)
        with tf.Session(graph=graph) as session:
            session.run("init")
            theirs = [session.run(["loss:0", graph.get_operation_by_name("train")], feeds)[0] for _ in ours]
    return name, ours, np.array(theirs)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    tf.disable_eager_execution()
    failed = 0
    print(f"{'graph':20} {'steps':>5} {'first loss':>12} {'last, ours':>12} {'TensorFlow':>12} {'worst difference':>17}")
    for path in sorted(glob.glob(os.path.join(sys.argv[1], "*.pb"))):
        name, ours, theirs = train(path)
        worst = float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-3)))
        failed += not worst <= TOLERANCE
        print(f"{name:20} {len(ours):5} {theirs[0]:12.6f} {ours[-1]:12.6f} {theirs[-1]:12.6f} {worst:17.2e}"
              f"{'' if worst <= TOLERANCE else '  DIFFERS'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
