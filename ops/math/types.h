// The element types that the bodies of these families are made for.
#pragma once

#define MILLRACE_FLOAT_TYPES float, double, Half, BFloat16
#define MILLRACE_SIGNED_TYPES int8_t, int16_t, int32_t, int64_t
#define MILLRACE_UNSIGNED_TYPES uint8_t, uint16_t, uint32_t, uint64_t
#define MILLRACE_INTEGER_TYPES MILLRACE_SIGNED_TYPES, MILLRACE_UNSIGNED_TYPES
#define MILLRACE_REAL_TYPES MILLRACE_FLOAT_TYPES, MILLRACE_INTEGER_TYPES
#define MILLRACE_COMPLEX_TYPES std::complex<float>, std::complex<double>
