// Coefficients of the polynomials in functions.h, lowest power first, from a
// Remez exchange on the interval that stands with each; the error is relative.
#pragma once

#include "millrace/ops/expr/isa.h"

MILLRACE_ISA_NAMESPACE_BEGIN

// (exp(r) - 1 - r) / r^2 on |r| <= 0.3483, 2^-28.2.
inline constexpr float kExp32[] = {0x1.fffffcp-2f, 0x1.55548ep-3f, 0x1.555904p-5f, 0x1.123cccp-7f, 0x1.6a1f6ap-10f};
// (log(1 + f) - f) / f^2 on |f| <= 1/3, 2^-27.7.
inline constexpr float kLog32[] = {-0x1p-1f,       0x1.555502p-2f,  -0x1.fffd6ap-3f, 0x1.99d212p-3f, -0x1.55cd0ep-3f,
                                   0x1.1ebca6p-3f, -0x1.eeb8c6p-4f, 0x1.1ed8f2p-3f,  -0x1.109f86p-3f};
// (tanh(x) - x) / x^3 in x^2 <= 0.36, 2^-28.5.
inline constexpr float kTanh32[] = {-0x1.55553ep-2f, 0x1.1109dcp-3f, -0x1.b89edap-5f, 0x1.54e01cp-6f, -0x1.830cp-8f};
// (erf(x) - x) / x in x^2 <= 0.8649, 2^-31.
inline constexpr float kErf32[] = {0x1.06eba8p-3f, -0x1.812742p-2f,  0x1.ce2e0ap-4f, -0x1.b80e9p-6f,
                                   0x1.54c7f4p-8f, -0x1.aa3f2cp-11f, 0x1.5cd4aap-14f};
// -log(erfc(t)) / t on [0.92, 4], 2^-32.1.
inline constexpr float kErfc32[] = {0x1.20e8c4p+0f, 0x1.4570acp-1f,   0x1.af27f6p-4f,   -0x1.737e56p-6f,
                                    0x1.80106p-9f,  -0x1.a00628p-15f, -0x1.7e597cp-15f, 0x1.4b636cp-18f};
// (sin(r) - r) / r^3 and (cos(r) - 1 + r^2/2) / r^4 in r^2 <= 0.6292.
inline constexpr float kSin32[] = {-0x1.555556p-3f, 0x1.111108p-7f, -0x1.a00f32p-13f, 0x1.6cbecep-19f};
inline constexpr float kCos32[] = {0x1.55554ap-5f, -0x1.6c0c22p-10f, 0x1.99e33ap-16f};
// As kExp32, 2^-57.9.
inline constexpr double kExp64[] = {
    0x1.000000000000ap-1,  0x1.55555555554f5p-3,  0x1.555555555057ap-5,  0x1.1111111128a5bp-7,  0x1.6c16c184df031p-10,
    0x1.a01a0126d3ef0p-13, 0x1.a0199806a17fbp-16, 0x1.71df2a00e3c41p-19, 0x1.28af6675c4829p-22, 0x1.ad7d189ce7682p-26};
// (atanh(s) - s) / s^3 in s^2 <= 0.0401, 2^-62.6.
inline constexpr double kAtanh64[] = {0x1.555555555554fp-2, 0x1.999999999c1adp-3, 0x1.24924921e1895p-3,
                                      0x1.c71c7491ffe40p-4, 0x1.745c4a5d6cf55p-4, 0x1.3b35d00d29164p-4,
                                      0x1.0dcaa03a66706p-4, 0x1.1b87d6c2b2c57p-4};
// As kTanh32, 2^-62.7.
inline constexpr double kTanh64[] = {-0x1.5555555555554p-2,  0x1.1111111110ef0p-3,   -0x1.ba1ba1b9f81d6p-5,
                                     0x1.664f48797599fp-6,   -0x1.226e33f0e50b9p-7,  0x1.d6d389333faa2p-9,
                                     -0x1.7d9eafeb88a45p-10, 0x1.3521e0bab28e5p-11,  -0x1.f21b37c1bc84cp-13,
                                     0x1.83f4011b4aed1p-14,  -0x1.059a0224ac644p-15, 0x1.b4a973e79ab39p-18};
// For powers of float in double lanes: atanh as above, 2^-49.1, and exp, 2^-34.1.
inline constexpr double kPowLog[] = {0x1.5555555549bf7p-2, 0x1.999999c53faf1p-3, 0x1.24922dcb4211cp-3,
                                     0x1.c72c2a5d40b73p-4, 0x1.72171896db70cp-4, 0x1.63f742f1cdb55p-4};
inline constexpr double kPowExp[] = {0x1.0000003bd075ap-1, 0x1.5555543b13966p-3,  0x1.555489e94aa5fp-5,
                                     0x1.111277ade8fefp-7, 0x1.6d90a5989eea3p-10, 0x1.9f05d0f145b99p-13};

MILLRACE_ISA_NAMESPACE_END
