// Coefficients of the polynomials of the functions, lowest power first, from a
// Remez exchange on the interval that stands with each; the error is relative to
// the function.
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
inline constexpr double kLogTail64[] = {0x1.555555555554fp-2, 0x1.999999999c1adp-3, 0x1.24924921e1895p-3,
                                        0x1.c71c7491ffe40p-4, 0x1.745c4a5d6cf55p-4, 0x1.3b35d00d29164p-4,
                                        0x1.0dcaa03a66706p-4, 0x1.1b87d6c2b2c57p-4};
// As kTanh32, 2^-62.7.
inline constexpr double kTanh64[] = {-0x1.5555555555554p-2,  0x1.1111111110ef0p-3,   -0x1.ba1ba1b9f81d6p-5,
                                     0x1.664f48797599fp-6,   -0x1.226e33f0e50b9p-7,  0x1.d6d389333faa2p-9,
                                     -0x1.7d9eafeb88a45p-10, 0x1.3521e0bab28e5p-11,  -0x1.f21b37c1bc84cp-13,
                                     0x1.83f4011b4aed1p-14,  -0x1.059a0224ac644p-15, 0x1.b4a973e79ab39p-18};
// ((exp(2r) - 1) / 2 - r) / r^2, the same polynomials.
inline constexpr float kExpTwice32[] = {0x1.fffffcp-1f, 0x1.55548ep-1f, 0x1.555904p-2f, 0x1.123cccp-3f, 0x1.6a1f6ap-5f};
inline constexpr double kExpTwice64[] = {
    0x1.000000000000ap+0, 0x1.55555555554f5p-1, 0x1.555555555057ap-2,  0x1.1111111128a5bp-3,  0x1.6c16c184df031p-5,
    0x1.a01a0126d3ef0p-7, 0x1.a0199806a17fbp-9, 0x1.71df2a00e3c41p-11, 0x1.28af6675c4829p-13, 0x1.ad7d189ce7682p-16};
// For powers of float in double lanes: atanh as above, 2^-49.1, and exp, 2^-34.1.
inline constexpr double kPowLog[] = {0x1.5555555549bf7p-2, 0x1.999999c53faf1p-3, 0x1.24922dcb4211cp-3,
                                     0x1.c72c2a5d40b73p-4, 0x1.72171896db70cp-4, 0x1.63f742f1cdb55p-4};
inline constexpr double kPowExp[] = {0x1.0000003bd075ap-1, 0x1.5555543b13966p-3,  0x1.555489e94aa5fp-5,
                                     0x1.111277ade8fefp-7, 0x1.6d90a5989eea3p-10, 0x1.9f05d0f145b99p-13};

// From here on tools/ulp/fit.py prints the sets.

// (sin(x) - x) / x^3 in x^2 <= 0.6193, 2^-57.9.
inline constexpr double kSin64[] = {-0x1.5555555555548p-3, 0x1.111111110f756p-7,   -0x1.a01a019beddfep-13,
                                    0x1.71de355946591p-19, -0x1.ae5e4eb926912p-26, 0x1.5d8c437c34f39p-33};
// (cos(x) - 1 + x^2/2) / x^4 in x^2 <= 0.6193, 2^-64.2.
inline constexpr double kCos64[] = {0x1.555555555554bp-5,   -0x1.6c16c16c15100p-10, 0x1.a01a019ca4bddp-16,
                                    -0x1.27e4f800169d6p-22, 0x1.1ee9e4ede2d23p-29,  -0x1.8faadc3de6753p-37};
// (tan(x) - x) / x^3 in x^2 <= 0.6193, 2^-29.5.
inline constexpr float kTan32[] = {0x1.555560p-2f, 0x1.110d74p-3f,  0x1.bae090p-5f, 0x1.5c7d92p-6f,
                                   0x1.641f9ap-7f, 0x1.8db686p-15f, 0x1.20347ap-8f};
// (tan(x) - x) / x^3 in x^2 <= 0.6193, 2^-59.9.
inline constexpr double kTan64[] = {0x1.555555555555ep-2,  0x1.11111111105c4p-3,   0x1.ba1ba1babff8ap-5,
                                    0x1.664f485cfa7ddp-6,  0x1.226e3a86dfdc1p-7,   0x1.d6d2e6c929447p-9,
                                    0x1.7db19bb7f4998p-10, 0x1.34bb9b3b5f9e4p-11,  0x1.ff35a5847420ep-13,
                                    0x1.5e5467a2d9e74p-14, 0x1.1a3843c598ba5p-14,  -0x1.af7f871230799p-16,
                                    0x1.989d36860bf37p-15, -0x1.97e5980cd1888p-16, 0x1.491a1b435df22p-17};
// (atan(x) - x) / x^3 in x^2 <= 1, 2^-28.5.
inline constexpr float kAtan32[] = {-0x1.55553ep-2f, 0x1.9991fep-3f,  -0x1.2421b8p-3f, 0x1.c09a14p-4f,  -0x1.5834cep-4f,
                                    0x1.dacaa6p-5f,  -0x1.fed2cep-6f, 0x1.65a7d2p-7f,  -0x1.d63270p-10f};
// (atan(x) - x) / x^3 in x^2 <= 1, 2^-57.6.
inline constexpr double kAtan64[] = {
    -0x1.5555555555526p-2, 0x1.9999999995545p-3,  -0x1.249249237e217p-3, 0x1.c71c717f94a90p-4,   -0x1.745d11aafb8e1p-4,
    0x1.3b1366769a728p-4,  -0x1.110e50233cb92p-4, 0x1.e1bb9b76f696fp-5,  -0x1.ae5e45ee94fc8p-5,  0x1.82da4a64c230ap-5,
    -0x1.59a2a4cdc6895p-5, 0x1.2c2bc3f920fd2p-5,  -0x1.e9f23f71819f6p-6, 0x1.6833a6347cea7p-6,   -0x1.c77f52c9a32f6p-7,
    0x1.d7a2b9f448517p-8,  -0x1.7a2354fe6a9ccp-9, 0x1.b3dc5ad197796p-11, -0x1.3f1cb6fb03024p-13, 0x1.bbc5c0c62e612p-17};
// (asin(x) - x) / x^3 in x^2 <= 0.2501, 2^-31.7.
inline constexpr float kAsin32[] = {0x1.55554cp-3f, 0x1.33387ep-4f, 0x1.6cae86p-5f,
                                    0x1.049496p-5f, 0x1.d8ebccp-7f, 0x1.336a4ap-5f};
// (asin(x) - x) / x^3 in x^2 <= 0.2501, 2^-59.8.
inline constexpr double kAsin64[] = {
    0x1.5555555555577p-3, 0x1.333333332e0adp-4,  0x1.6db6db7218286p-5, 0x1.f1c71a92d8833p-6, 0x1.6e8bdf1baa0d8p-6,
    0x1.1c49ec1c1fdc9p-6, 0x1.ca1ff68e311afp-7,  0x1.75820d95e0881p-7, 0x1.6150df1b135c9p-7, 0x1.e4b59bf21ccecp-9,
    0x1.6401d4f6bfc4cp-6, -0x1.5892e1e8216e8p-6, 0x1.0b77533b688c6p-5};
// (sinh(x) - x) / x^3 in x^2 <= 1, 2^-34.2.
inline constexpr float kSinh32[] = {0x1.555556p-3f, 0x1.111134p-7f, 0x1.9ffe92p-13f, 0x1.7a15bep-19f};
// (sinh(x) - x) / x^3 in x^2 <= 1, 2^-63.3.
inline constexpr double kSinh64[] = {0x1.5555555555556p-3,  0x1.11111111110a6p-7,  0x1.a01a01a028986p-13,
                                     0x1.71de3a465c064p-19, 0x1.ae64671a9608dp-26, 0x1.611a563cca705p-33,
                                     0x1.b4c75681ddef5p-41};
// (asinh(x) - x) / x^3 in x^2 <= 0.25, 2^-29.6.
inline constexpr float kAsinh32[] = {-0x1.555536p-3f, 0x1.332514p-4f, -0x1.6b9956p-5f, 0x1.cd877ep-6f, -0x1.b1c798p-7f};
// (asinh(x) - x) / x^3 in x^2 <= 0.25, 2^-60.4.
inline constexpr double kAsinh64[] = {-0x1.5555555555541p-3, 0x1.3333333330757p-4,  -0x1.6db6db6ba6321p-5,
                                      0x1.f1c71ba9a79fbp-6,  -0x1.6e8b8ca5df613p-6, 0x1.1c4d2fa12cbbbp-6,
                                      -0x1.c972eac51fa0bp-7, 0x1.7941eb55b2752p-7,  -0x1.386a3a4f00785p-7,
                                      0x1.e94439caba63bp-8,  -0x1.37226b18a2665p-8, 0x1.c263a22bcb88bp-10};
// (atanh(x) - x) / x^3 in x^2 <= 0.25, 2^-29.4.
inline constexpr float kAtanh32[] = {0x1.555540p-2f, 0x1.99a6cap-3f, 0x1.23487ap-3f,
                                     0x1.e4491cp-4f, 0x1.a4d33cp-5f, 0x1.69d522p-3f};
// (atanh(x) - x) / x^3 in x^2 <= 0.25, 2^-57.0.
inline constexpr double kAtanh64[] = {
    0x1.55555555555ccp-2, 0x1.999999998797ap-3,  0x1.2492492c3ba17p-3, 0x1.c71c6e7fee314p-4, 0x1.745d80e8a5f67p-4,
    0x1.3b0b2d2f751aap-4, 0x1.11873786fde77p-4,  0x1.d90b972b837e1p-5, 0x1.ea0a920c4c59fp-5, 0x1.ddceba018ae82p-7,
    0x1.28bb54abb21dfp-3, -0x1.3904d58b41876p-3, 0x1.cc46da910936fp-3};
// (erf(x) - x) / x in x^2 <= 0.8649, 2^-59.4.
inline constexpr double kErf64[] = {0x1.06eba8214db68p-3,   -0x1.812746b0379dep-2,  0x1.ce2f21a042454p-4,
                                    -0x1.b82ce31260533p-6,  0x1.565bcd076d885p-8,   -0x1.c02db292119c9p-11,
                                    0x1.f9a2f751f4523p-14,  -0x1.f4ce436d8fc3ap-17, 0x1.b9aa579b5f1d3p-20,
                                    -0x1.5d22709f143b7p-23, 0x1.df705aac0e985p-27,  -0x1.c6c7ff45e9ca4p-31};
// (1 + 2a) exp(a^2) erfc(a) in (a - 2) / (a + 2), a in [0.5, 10.2], 2^-30.8.
inline constexpr float kErfcx32Center = 0x1.46e80ep+0f;
inline constexpr float kErfcx32[] = {-0x1.7bf5eap-4f,  -0x1.5407b8p-3f, 0x1.4ff9d6p-3f,  -0x1.bc2de8p-5f,
                                     -0x1.06ffbep-7f,  0x1.1e1bd4p-7f,  0x1.40a0d0p-10f, -0x1.84e42ap-10f,
                                     -0x1.503a9ep-12f, 0x1.e7558ep-13f};
// (1 + 2a) exp(a^2) erfc(a) in (a - 4) / (a + 4), a in [0.5, 27.3], 2^-58.8.
inline constexpr double kErfcx64Center = 0x1.3ba5916e9fd7fp+0;
inline constexpr double kErfcx64[] = {-0x1.1df1ad154a28ep-3,  0x1.f7f5df66fd573p-7,   0x1.16ecefcfa5347p-4,
                                      -0x1.9ddb23c3e7cd3p-4,  0x1.7fee004e13305p-4,   -0x1.0fb06dfe6b6d5p-4,
                                      0x1.3079edf65d112p-5,   -0x1.0962387d9cb40p-6,  0x1.49c672950c8e6p-8,
                                      -0x1.8d4aa17f0204ep-11, -0x1.a1df3423d09e3p-13, 0x1.3be0d71191a79p-13,
                                      -0x1.9956e96e1f807p-16, -0x1.78a3ddb5a9fb5p-17, 0x1.7f091605d3bd7p-18,
                                      0x1.41acb20d0d749p-22,  -0x1.b8eb833e70516p-21, 0x1.1fc9dcfd26f45p-24,
                                      0x1.c1d32d812cd8dp-24,  -0x1.a3d4082b5b981p-27, -0x1.5db293776b8a9p-27};
// ((atanh(s) - s) / s^3 - 1/3) / s^2 in s^2 <= 0.02946, 2^-73.5.
inline constexpr double kPowLog64[] = {0x1.9999999999996p-3, 0x1.2492492493044p-3, 0x1.c71c71c57e956p-4,
                                       0x1.745d1833335d5p-4, 0x1.3b13627a065a6p-4, 0x1.1120beab494e4p-4,
                                       0x1.de32011eff0bep-5, 0x1.eb1d1b046d95fp-5};
// 2/pi: word k of 53 bits, times 2^(-53 k), is its k-th part.
inline constexpr double kTwoOverPi[] = {
    0x1.45f306dc9c882p-1, 0x1.4a7f09d5f47d4p-1, 0x1.a6ee06db14accp-1, 0x1.3c439041fe516p-1, 0x1.d5ef5de2b0db8p-3,
    0x1.2371d2126e970p-2, 0x1.924bba8274600p-8, 0x1.21cfe1deb1cb1p-1, 0x1.4d39f74411af8p-3, 0x1.4baed1213a671p-1,
    0x1.8135a2fbf209cp-1, 0x1.91d639835339fp-1, 0x1.272117e2ef7e4p-2, 0x1.41d8ffc4bffeep-2, 0x1.02cc07f79788cp-1,
    0x1.6b414da3eda6cp-2, 0x1.fb3c9f2c26dd2p-2, 0x1.d18fd9a797fa8p-1, 0x1.6ba93dd63f5f2p-1, 0x1.f17b3d0739f78p-1,
    0x1.4a525d4d7f6bfp-1, 0x1.88fc6ae842b00p-2, 0x1.98237e3db5d5fp-1, 0x1.0cfbc209af436p-1};

MILLRACE_ISA_NAMESPACE_END
