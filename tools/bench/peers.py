#!/usr/bin/env python3
"""Graphs in other runtimes and in Millrace, in turn: what README says of them.

    tools/bench/peers.py FOLDER [NAME...] --python PYTHON [--build build/release]

FOLDER holds GraphDefs and graphs.json, as against.py has them. PYTHON has the runtimes;
each that it has not is said to be missing and left out:
  onnxruntime   NAME.onnx beside the GraphDef (tf2onnx makes one); inference
  openvino      the GraphDef itself; inference
  jax           the same work as jax_graphs.py writes it
Each measurement is a process with one thread; rounds of all take turns, the best median
of each counts. Times of the others are also given as multiples of ours, of the same
rounds. Sums of the results are compared, but for training in JAX. `taskset -c 0` before it keeps
all on one core.
"""
import argparse
import json
import os
import resource
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RUNTIMES = ("onnxruntime", "openvino", "jax")


# --- In PYTHON: one graph in one runtime ---

def feed(spec):
    """The tensor that abi_bench makes of "x:0,float,8x3" or "ids:0,int32,8,mod1000"."""
    import numpy as np
    name, dtype, shape, *rest = spec.split(",")
    dims = [int(d) for d in shape.split("x") if d]
    # Its generator, all numbers at once: seed = seed * a + c in 32 bits.
    a = np.cumprod(np.full(int(np.prod(dims)), 1664525, np.uint32), dtype=np.uint32)
    c = np.cumsum(np.concatenate([np.ones(1, np.uint32), a[:-1]]), dtype=np.uint32)
    seeds = (a + np.uint32(1013904223) * c) >> np.uint32(8)
    if dtype == "int32":
        below = next((int(r[3:]) for r in rest if r.startswith("mod")), 2)
        return name, (seeds % np.uint32(below)).astype(np.int32).reshape(dims)
    return name, (seeds.astype(np.float32) * np.float32(2**-23) - np.float32(1)).reshape(dims)


def with_onnxruntime(folder, name, spec):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    path = os.path.join(folder, os.path.splitext(spec["file"])[0] + ".onnx")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feeds = dict(map(feed, spec["feed"]))
    return lambda: session.run(spec["fetch"], feeds)


def with_openvino(folder, name, spec):
    import openvino
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
    model = core.compile_model(core.read_model(os.path.join(folder, spec["file"])), "CPU", options)
    request = model.create_infer_request()

    def port(ports, tensor):
        for candidate in ports:
            if {tensor, tensor.split(":")[0]} & candidate.names:
                return candidate
        raise SystemExit(f"{name}: the model has no {tensor}")
    feeds = {port(model.inputs, tensor): value for tensor, value in map(feed, spec["feed"])}
    results = [port(model.outputs, tensor) for tensor in spec["fetch"]]

    def run():
        found = request.infer(feeds)
        return [found[r] for r in results]
    return run


def with_jax(folder, name, spec):
    import jax
    import jax_graphs
    import numpy
    function, state = jax_graphs.GRAPHS[name]()
    inputs = [jax.numpy.asarray(value) for _, value in map(feed, spec["feed"])]
    step = jax.jit(function)
    if state is None:
        return lambda: [numpy.asarray(result) for result in jax.block_until_ready(step(*inputs))]

    def train():
        nonlocal state
        state, _ = jax.block_until_ready(step(state, *inputs))
    return train


def measure(runtime, folder, name, spec, seconds):
    """As abi_bench: the line of JSON that it prints."""
    start = time.perf_counter()
    run = globals()["with_" + runtime](folder, name, spec)
    results = run()
    first = time.perf_counter() - start
    times, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(times) < 3:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    times.sort()
    sums = [float(r.sum(dtype="float64")) for r in results or [] if r.dtype == "float32"]
    return {"median_us": times[len(times) // 2] * 1e6, "first_ms": first * 1e3,
            "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "sums": sums if results is not None else None}


# --- In turn ---

def takes(runtime, folder, name, spec):
    if runtime == "jax":
        with open(os.path.join(HERE, "jax_graphs.py")) as f:
            return f'"{name}": ' in f.read()
    if spec.get("target"):
        return False
    return runtime != "onnxruntime" or os.path.exists(os.path.join(folder, os.path.splitext(spec["file"])[0] + ".onnx"))


def child(python, runtime, folder, name, seconds):
    environment = dict(os.environ, XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
                       JAX_PLATFORMS="cpu", OMP_NUM_THREADS="1")
    done = subprocess.run([python, os.path.abspath(__file__), folder, name, "--child", runtime, "--seconds", str(seconds)],
                          capture_output=True, text=True, timeout=600, env=environment)
    lines = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines() or [f"exit code {done.returncode}"]
    return json.loads(lines[-1]) if done.returncode == 0 else lines[-1]


def version(python, runtime):
    """Of the runtime, or None where `python` has none."""
    done = subprocess.run([python, "-c", f"import {runtime}; print({runtime}.__version__)"], capture_output=True, text=True)
    return done.stdout.split()[-1].split("-")[0] if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--python", default=sys.executable, help="that has the runtimes")
    parser.add_argument("--runtimes", default=",".join(RUNTIMES), help="of: " + ", ".join(RUNTIMES))
    parser.add_argument("--build", default=os.path.join(HERE, "../../build/release"))
    parser.add_argument("--seconds", type=float, default=1, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--child", choices=RUNTIMES, help=argparse.SUPPRESS)
    a = parser.parse_args()
    with open(os.path.join(a.folder, "graphs.json")) as f:
        graphs = json.load(f)
    wanted = a.runtimes.split(",")
    if unknown := [n for n in a.names if n not in graphs] + [r for r in wanted if r not in RUNTIMES]:
        parser.error(f"not known: {', '.join(unknown)}")
    if a.child:
        print(json.dumps(measure(a.child, a.folder, a.names[0], graphs[a.names[0]], a.seconds)))
        return 0

    import against
    from run import close, time_text
    ours = os.path.join(a.build, "lib", "libtensorflow.so.2")
    found = {runtime: version(a.python, runtime) for runtime in wanted}
    for runtime in (r for r in wanted if found[r] is None):
        print(f"{runtime} is missing: {a.python} has no such module", file=sys.stderr)
    present = [r for r in wanted if found[r] is not None]
    if not present:
        return 1
    print("| graph | Millrace | " + " | ".join(f"{r} {found[r]}" for r in present) + " |")
    print("|" + "---|" * (len(present) + 2))
    failed = False
    for name in a.names or graphs:
        spec = graphs[name]
        ways = [r for r in present if takes(r, a.folder, name, spec)]
        if not ways:
            continue
        best = {}
        for _ in range(a.rounds):
            for who in ["Millrace", *ways]:
                if isinstance(best.get(who), str):
                    continue  # the error of an earlier round
                one = (against.measure(a.build, ours, a.folder, spec, a.seconds) if who == "Millrace"
                       else child(a.python, who, a.folder, name, a.seconds))
                if isinstance(one, dict) and who in best:
                    best[who]["median_us"] = min(best[who]["median_us"], one["median_us"])
                else:
                    best[who] = one
        mine = best["Millrace"]
        cells = [name, mine if isinstance(mine, str) else time_text(mine["median_us"])]
        for who in present:
            other = best.get(who)
            if who not in ways:
                cells.append("")
            elif isinstance(mine, str) or isinstance(other, str):
                cells.append(other if isinstance(other, str) else time_text(other["median_us"]))
            elif other["sums"] is not None and not close(mine["sums"], other["sums"]):
                cells.append(f"other result: {other['sums']}, ours {mine['sums']}")
                failed = True
            else:
                cells.append(f"{time_text(other['median_us'])}, {other['median_us'] / mine['median_us']:.2f}")
        failed = failed or any(isinstance(b, str) for b in best.values())
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\nOne thread; the best median of {a.rounds} rounds of {a.seconds} s, {os.cpu_count()} cores, "
          f"load {os.getloadavg()[0]:.1f}. Behind the times of the others: as a multiple of ours.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
