"""Writes the graphs and inputs under samples/data with TensorFlow.

    pip install tensorflow-cpu
    python samples/export/export_samples.py samples/data

Nothing of Millrace needs TensorFlow: the files are committed, and this script
only says where they come from.

quadratic_fit.pb   a training graph as a TensorFlow 1 program leaves it: variables
                   by reference, seeded random initialiser, gradients, Adam(0.1)
digits_cnn.pb      a small convolutional network, trained here, then frozen
digits_images.npy  float32 [200, 14, 14, 1], drawn digits with noise, never trained on
digits_labels.npy  int64 [200]
"""
import os
import sys

import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
tf1.disable_eager_execution()
tf1.disable_resource_variables()

# Five columns by seven rows a digit, one string a row.
GLYPHS = [
    "01110 10001 10011 10101 11001 10001 01110",
    "00100 01100 00100 00100 00100 00100 01110",
    "01110 10001 00001 00110 01000 10000 11111",
    "11110 00001 00001 01110 00001 00001 11110",
    "00010 00110 01010 10010 11111 00010 00010",
    "11111 10000 11110 00001 00001 10001 01110",
    "00110 01000 10000 11110 10001 10001 01110",
    "11111 00001 00010 00100 01000 01000 01000",
    "01110 10001 10001 01110 10001 10001 01110",
    "01110 10001 10001 01111 00001 00010 01100",
]


def draw(count, rng):
    """Digits at random places of a 14 x 14 image, with random ink and noise."""
    glyphs = np.array([[[float(c) for c in row] for row in g.split()] for g in GLYPHS], np.float32)
    labels = rng.randint(0, 10, count)
    images = np.zeros((count, 14, 14, 1), np.float32)
    for i, label in enumerate(labels):
        wide = glyphs[label].repeat(rng.randint(1, 3), axis=1)  # 5 or 10 columns
        y, x = rng.randint(0, 14 - 7 + 1), rng.randint(0, 14 - wide.shape[1] + 1)
        images[i, y:y + 7, x:x + wide.shape[1], 0] = wide * rng.uniform(0.6, 1.0)
    images += rng.normal(0, 0.15, images.shape)
    return images.astype(np.float32), labels.astype(np.int64)


def quadratic_fit(folder):
    with tf.Graph().as_default() as graph:
        tf1.set_random_seed(1)
        x = tf1.placeholder(tf.float32, [None], "x")
        y = tf1.placeholder(tf.float32, [None], "y")
        w = tf1.get_variable("w", [3, 1], initializer=tf1.random_normal_initializer())
        features = tf.stack([tf.square(x), x, tf.ones_like(x)], 1)
        prediction = tf.squeeze(tf.matmul(features, w), 1, name="prediction")
        loss = tf.reduce_mean(tf.square(y - prediction), name="loss")
        tf1.train.AdamOptimizer(0.1).minimize(loss, name="train")
        tf1.global_variables_initializer()
        with open(os.path.join(folder, "quadratic_fit.pb"), "wb") as f:
            f.write(graph.as_graph_def(add_shapes=False).SerializeToString(deterministic=True))


def digits_cnn(folder):
    rng = np.random.RandomState(7)
    with tf.Graph().as_default() as graph:
        tf1.set_random_seed(2)
        images = tf1.placeholder(tf.float32, [None, 14, 14, 1], "images")
        labels = tf1.placeholder(tf.int64, [None], "labels")

        def layer(h, channels, stride, name):
            with tf1.variable_scope(name):
                k = tf1.get_variable("k", [3, 3, h.shape[-1], channels])
                h = tf.nn.conv2d(h, k, stride, "SAME")
                scale = tf1.get_variable("scale", [channels], initializer=tf1.ones_initializer())
                offset = tf1.get_variable("offset", [channels], initializer=tf1.zeros_initializer())
                return tf.nn.relu(h * scale + offset)
        h = layer(images, 12, 1, "c1")
        h = layer(h, 24, 2, "c2")
        h = layer(h, 24, 1, "c3")
        h = tf.nn.max_pool2d(h, 2, 2, "SAME")
        h = tf.reshape(h, [-1, 4 * 4 * 24])
        logits = tf.nn.bias_add(tf.matmul(h, tf1.get_variable("w", [4 * 4 * 24, 10])),
                                tf1.get_variable("b", [10], initializer=tf1.zeros_initializer()), name="logits")
        tf.nn.softmax(logits, name="probabilities")
        tf.argmax(logits, 1, name="digit")
        loss = tf.reduce_mean(tf1.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        train = tf1.train.AdamOptimizer(2e-3).minimize(loss)
        with tf1.Session() as session:
            session.run(tf1.global_variables_initializer())
            for _ in range(1500):
                a, b = draw(64, rng)
                session.run(train, {images: a, labels: b})
            frozen = tf1.graph_util.convert_variables_to_constants(
                session, graph.as_graph_def(), ["probabilities", "digit"])
            a, b = draw(200, np.random.RandomState(99))
            found = session.run("digit:0", {images: a})
            print("accuracy on the committed images: %.3f" % np.mean(found == b))
    with open(os.path.join(folder, "digits_cnn.pb"), "wb") as f:
        f.write(frozen.SerializeToString(deterministic=True))
    np.save(os.path.join(folder, "digits_images.npy"), a)
    np.save(os.path.join(folder, "digits_labels.npy"), b)


if __name__ == "__main__":
    quadratic_fit(sys.argv[1])
    digits_cnn(sys.argv[1])
