"""The work of the benchmark graphs, written in JAX: for peers.py.

Each entry of GRAPHS makes (function, state); what is fed, in the order of graphs.json, are
the inputs. Without a state it is function(*inputs) -> results, with the graph's own
weights as constants, as frozen; with one it is a step of training, function(state,
*inputs) -> (state, loss), from weights that are not the graph's.
"""
import jax
import jax.numpy as jnp
import numpy as np

RANDOM = np.random.RandomState(0)


def numbers(*shape, scale=0.05):
    return jnp.asarray((RANDOM.standard_normal(shape) * scale).astype(np.float32))


def layer(inputs, outputs):
    return numbers(inputs, outputs), numbers(outputs)


def dense(x, weights):
    return x @ weights[0] + weights[1]


def cross_entropy(logits, wanted):
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), wanted[:, None], 1))


# --- Steps of training ---

def momentum(loss, rate=0.01, keep=0.9):
    def step(state, *batch):
        weights, speeds = state
        value, gradients = jax.value_and_grad(loss)(weights, *batch)
        speeds = jax.tree.map(lambda s, g: keep * s + g, speeds, gradients)
        return (jax.tree.map(lambda w, s: w - rate * s, weights, speeds), speeds), value
    return step, lambda weights: (weights, jax.tree.map(jnp.zeros_like, weights))


def adam(loss, rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def step(state, *batch):
        weights, first, second, count = state
        value, gradients = jax.value_and_grad(loss)(weights, *batch)
        count += 1
        first = jax.tree.map(lambda m, g: beta1 * m + (1 - beta1) * g, first, gradients)
        second = jax.tree.map(lambda v, g: beta2 * v + (1 - beta2) * g * g, second, gradients)
        scaled = rate * jnp.sqrt(1 - beta2**count) / (1 - beta1**count)
        weights = jax.tree.map(lambda w, m, v: w - scaled * m / (jnp.sqrt(v) + epsilon), weights, first, second)
        return (weights, first, second, count), value

    def start(weights):
        zeros = jax.tree.map(jnp.zeros_like, weights)
        return weights, zeros, zeros, jnp.float32(0)
    return step, start


def training(rule, weights):
    step, start = rule
    return step, start(weights)


# --- The graphs ---

def tiny_add():
    return (lambda x: [x + x]), None


def chain_matmul8():
    random = np.random.RandomState(0)
    weights = [np.linalg.qr(random.randn(8, 8))[0].astype(np.float32) for _ in range(500)]

    def chain(x):
        for w in weights:
            x = jnp.tanh(x @ w)
        return [x]
    return chain, None


def branches_matmul():
    random = np.random.RandomState(2)
    branches = [[random.randn(64, 64).astype(np.float32) * 0.15 for _ in range(20)] for _ in range(8)]

    def run(x):
        total = 0
        for branch in branches:
            y = x
            for w in branch:
                y = jax.nn.relu(y @ w)
            total = total + y
        return [total]
    return run, None


def gelu_1m():
    bias = np.random.RandomState(3).randn(1024).astype(np.float32)

    def gelu(x):
        h = x + bias
        return [0.5 * h * (1 + jnp.tanh(0.7978845608 * (h + 0.044715 * h * h * h))) * 1.5 + x]
    return gelu, None


def normalised(x, gamma, beta, epsilon=1e-5):
    mean = jnp.mean(x, -1, keepdims=True)
    variance = jnp.mean((x - mean) ** 2, -1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(variance + epsilon) * gamma + beta


def layernorm_softmax():
    return (lambda x: [jax.nn.softmax(normalised(x, 1.1, 0.1))]), None


def reduce_all():
    return (lambda x: [jnp.sum((x - 0.5) ** 2)]), None


def perceptron(weights, x):
    for w in weights[:-1]:
        x = jax.nn.relu(dense(x, w))
    return dense(x, weights[-1])


def mlp_b1():
    random = np.random.RandomState(6)
    sizes = [(784, 512), (512, 512), (512, 10)]
    weights = [(random.randn(i, o).astype(np.float32) * 0.05, np.zeros(o, np.float32)) for i, o in sizes]

    def run(x):
        logits = perceptron(weights, x)
        return [jax.nn.softmax(logits), logits]
    return run, None


def train_quadratic():
    def loss(w, x, wanted):
        features = jnp.stack([x * x, x, jnp.ones_like(x)], 1)
        return jnp.mean((wanted - (features @ w)[:, 0]) ** 2)
    return training(adam(loss, 0.1), numbers(3, 1))


def train_mlp_b64():
    def loss(weights, x, wanted):
        return cross_entropy(perceptron(weights, x), wanted)
    return training(adam(loss, 1e-3), [layer(784, 256), layer(256, 128), layer(128, 10)])


def train_cnn_b64():
    def loss(weights, x, wanted):
        for filters, bias in weights[:2]:
            x = jax.lax.conv_general_dilated(x, filters, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
            x = jax.lax.reduce_window(jax.nn.relu(x + bias), -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "SAME")
        return cross_entropy(perceptron(weights[2:], x.reshape(x.shape[0], -1)), wanted)
    weights = [(numbers(3, 3, 1, 32), numbers(32)), (numbers(3, 3, 32, 64), numbers(64)), layer(3136, 128), layer(128, 10)]
    return training(momentum(loss), weights)


def train_transformer_b8(width=128, heads=4, length=64, words=1000):
    mask = jnp.asarray(np.triu(np.full((length, length), -1e9, np.float32), 1))

    def norm():
        return jnp.ones(width), numbers(width)

    def attention(part, x, batch):
        def split(y):
            return y.reshape(batch, length, heads, -1).transpose(0, 2, 1, 3)
        q, k, v = (split(dense(x, part[name])) for name in ("q", "k", "v"))
        weights = jax.nn.softmax(q @ k.transpose(0, 1, 3, 2) * (width // heads) ** -0.5 + mask)
        return dense((weights @ v).transpose(0, 2, 1, 3).reshape(-1, width), part["out"])

    def loss(weights, ids, wanted):
        batch = ids.shape[0]
        x = weights["words"][ids].reshape(-1, width)
        for part in weights["layers"]:
            x = x + attention(part, normalised(x, *part["norm1"]), batch)
            x = x + dense(jax.nn.relu(dense(normalised(x, *part["norm2"]), part["up"])), part["down"])
        return cross_entropy(normalised(x, *weights["norm"]) @ weights["words"].T, wanted.reshape(-1))

    def part():
        square = {name: layer(width, width) for name in ("q", "k", "v", "out")}
        return dict(square, norm1=norm(), norm2=norm(), up=layer(width, 4 * width), down=layer(4 * width, width))
    weights = {"words": numbers(words, width), "norm": norm(), "layers": [part() for _ in range(2)]}
    return training(adam(loss, 1e-3), weights)


GRAPHS = {
    "tiny_add": tiny_add,
    "chain_matmul8": chain_matmul8,
    "branches_matmul": branches_matmul,
    "gelu_1m": gelu_1m,
    "layernorm_softmax": layernorm_softmax,
    "reduce_all": reduce_all,
    "mlp_b1": mlp_b1,
    "train_quadratic": train_quadratic,
    "train_mlp_b64": train_mlp_b64,
    "train_cnn_b64": train_cnn_b64,
    "train_transformer_b8": train_transformer_b8,
}
