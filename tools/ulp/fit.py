"""Prints coefficients of ops/expr/coefficients.h, those from kSin64 on.

    python3 tools/ulp/fit.py [NAME ...] | clang-format

A Remez exchange for each, of the least degree that keeps the error, relative to
the function that the polynomial serves, under 2^-bits. Needs mpmath.
"""

import struct
import sys

from mpmath import asin, asinh, atan, atanh, cos, erfc, exp, log, lu_solve, matrix, mp, mpf, pi, sin, sinh, sqrt, tan

mp.dps = 50


def remez(goal, weight, degree, low, high, grid):
    """The polynomial p with the least maximum of |weight (p - goal)| on [low, high]; (error, coefficients)."""
    n = degree + 2
    mid, half = (low + high) / 2, (high - low) / 2
    points = [mid - half * cos(pi * i / grid) for i in range(grid + 1)]
    values = [goal(x) for x in points]
    weights = [weight(x) + mpf("1e-12") for x in points]
    at = sorted({round(grid * i / (n - 1)) for i in range(n)})
    best = None
    for _ in range(10):
        a, b = matrix(n, n), matrix(n, 1)
        for row, i in enumerate(at):
            for k in range(degree + 1):
                a[row, k] = points[i] ** k
            a[row, degree + 1] = (-1) ** row / weights[i]
            b[row] = values[i]
        c = lu_solve(a, b)
        errors = []
        for x, value, w in zip(points, values, weights):
            p = mpf(0)
            for k in range(degree, -1, -1):
                p = p * x + c[k]
            errors.append(w * (p - value))
        worst = max(abs(e) for e in errors)
        if best is None or worst < best[0]:
            best = (worst, [c[k] for k in range(degree + 1)])
        if worst < abs(c[degree + 1]) * mpf("1.02"):
            break
        # The largest error of every run of one sign.
        extrema, i = [], 0
        while i <= grid:
            j = m = i
            while j <= grid and (errors[j] >= 0) == (errors[i] >= 0):
                if abs(errors[j]) > abs(errors[m]):
                    m = j
                j += 1
            extrema.append(m)
            i = j
        if len(extrema) < n:
            break
        while len(extrema) > n:
            extrema.pop(0 if abs(errors[extrema[0]]) < abs(errors[extrema[-1]]) else -1)
        at = extrema
    return best


def to_single(x):
    return struct.unpack("f", struct.pack("f", float(x)))[0]


def series(f, terms):
    """The sum of f(k) v^k as a function of v."""
    c = [f(k) for k in range(terms)]

    def value(v):
        p = mpf(0)
        for a in reversed(c):
            p = p * v + a
        return p

    return value


def odd(f, c):
    """(f(x) - x) / x^3 as a function of v = x^2, and what its error weighs in f; c: the series near 0."""
    near = series(c, 40)

    def goal(v):
        x = sqrt(v)
        return near(v) if v < mpf("0.003") else (f(x) - x) / (x * v)

    def weight(v):
        x = sqrt(v)
        return v * x / f(x) if v > 0 else mpf(0)

    return goal, weight


def taylor_odd(f):
    """k: the coefficient of x^(2k+3) of an odd function."""
    old = mp.dps
    mp.dps = 120
    c = mp.taylor(f, 0, 85)
    mp.dps = old
    return lambda k: c[2 * k + 3]


SETS = {}


def fit(name, note, goal, weight, low, high, bits, kind):
    SETS[name] = (note, goal, weight, mpf(low), mpf(high), bits, kind)


def odd_fit(name, f, high, single_bits, double_bits, kinds=("float", "double")):
    made = []

    def part(i):
        def value(v):
            if not made:
                made.extend(odd(f, taylor_odd(f)))
            return made[i](v)

        return value

    note = f"({name.lower()}(x) - x) / x^3 in x^2 <= {float(high):.4g}"
    for kind, suffix, bits in (("float", "32", single_bits), ("double", "64", double_bits)):
        if kind in kinds:
            fit(f"k{name}{suffix}", note, part(0), part(1), 0, high, bits, kind)


quarter = (pi / 4 * mpf("1.002")) ** 2
odd_fit("Sin", sin, quarter, 28, 57, ("double",))
cosine = series(lambda k: (-1) ** k / mp.factorial(2 * k + 4), 25)
fit("kCos64", "(cos(x) - 1 + x^2/2) / x^4 in x^2 <= 0.6193", cosine, lambda v: v * v, 0, quarter, 57, "double")
odd_fit("Tan", tan, quarter, 28, 57)
odd_fit("Atan", atan, mpf(1), 27.5, 56.5)
odd_fit("Asin", asin, mpf("0.2501"), 28, 57)
odd_fit("Sinh", sinh, mpf(1), 28, 57)
odd_fit("Asinh", asinh, mpf("0.25"), 28, 57)
odd_fit("Atanh", atanh, mpf("0.25"), 28, 57)
near_erf = series(lambda k: 2 / sqrt(pi) * (-1) ** k / (mp.factorial(k) * (2 * k + 1)), 60)
fit("kErf64", "(erf(x) - x) / x in x^2 <= 0.8649", lambda v: near_erf(v) - 1, lambda v: 1 / near_erf(v), 0, "0.8649",
    58, "double")


def erfc_tail(k):
    """(1 + 2a) exp(a^2) erfc(a) as a function of t = (a - k) / (a + k)."""

    def goal(t):
        a = k * (1 + t) / (1 - t)
        return (1 + 2 * a) * exp(a * a) * erfc(a)

    return goal, lambda t: 1 / goal(t)


for kind, suffix, k, high, bits in (("float", "32", 2, mpf("10.2"), 28), ("double", "64", 4, mpf("27.3"), 57)):
    goal, weight = erfc_tail(mpf(k))
    low = mpf("0.4999")
    fit(f"kErfcx{suffix}", f"(1 + 2a) exp(a^2) erfc(a) in (a - {k}) / (a + {k}), a in [0.5, {float(high):.3g}]", goal,
        weight, (low - k) / (low + k), (high - k) / (high + k), bits, kind)
beyond_third = series(lambda k: mpf(1) / (2 * k + 5), 60)
fit("kPowLog64", "((atanh(s) - s) / s^3 - 1/3) / s^2 in s^2 <= 0.02946", beyond_third, lambda v: v * v, 0, "0.02946", 68,
    "double")


def print_set(name):
    note, goal, weight, low, high, bits, kind = SETS[name]
    single = kind == "float"
    degree = 2 if single else 5
    while True:
        error, c = remez(goal, weight, degree, low, high, (40 if single else 24) * (degree + 2))
        if error < mpf(2) ** -bits:
            break
        degree += 1
    text = [to_single(x).hex().replace("0000000p", "p") + "f" if single else float(x).hex() for x in c]
    print(f"// {note}, 2^{float(log(error, 2)):.1f}.")
    if name.startswith("kErfcx"):  # the constant term is added apart, in a pair
        print(f"inline constexpr {kind} {name}Center = {text.pop(0)};")
    print(f"inline constexpr {kind} {name}[] = {{{', '.join(text)}}};", flush=True)


def print_two_over_pi():
    mp.prec = 2000
    rest, words = 2 / pi, []
    for _ in range(24):
        rest *= mpf(2) ** 53
        word = mp.floor(rest)
        rest -= word
        words.append((float(word) * 2.0**-53).hex())
    print("// 2/pi: word k of 53 bits, times 2^(-53 k), is its k-th part.")
    print(f"inline constexpr double kTwoOverPi[] = {{{', '.join(words)}}};")


if __name__ == "__main__":
    for set_name in sys.argv[1:] or SETS:
        print_set(set_name)
    if len(sys.argv) == 1:
        print_two_over_pi()
