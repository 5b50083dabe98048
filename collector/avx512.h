// For functions that only run where cpu().avx512 says that they may.
#pragma once

#include <immintrin.h>

#define HEAPRAKE_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2")))
