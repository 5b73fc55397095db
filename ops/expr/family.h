// What a family's file uses to turn expressions into bodies and definitions. The
// file is compiled once for the floor, with the definitions, and once more for
// each newer instruction set, where only the bodies are left:
//
//   MILLRACE_UNARY_FN(SquareFn, x * x)
//   MILLRACE_EXPRESSION(Square, 1, Unary<SquareFn, float, double>)
//   #if MILLRACE_BASELINE
//   void families::Squares(Registry& r) { r.Define("Square") ... .Elementwise(&kSquare); }
//   #endif
#pragma once

#include <tuple>

#include "millrace/ops/expr/body.h"
#include "millrace/ops/expr/functions.h"
#include "millrace/ops/expr/memory.h"
#if MILLRACE_BASELINE
#include "millrace/ops/expr/expression.h"
#include "millrace/ops/expr/recording.h"
#include "millrace/ops/registry/op.h"
#endif

// Loops over vectors stay as they are written.
#ifdef __clang__
#define MILLRACE_PLAIN_LOOP _Pragma("clang loop unroll(disable) vectorize(disable)")
#else
#define MILLRACE_PLAIN_LOOP
#endif

MILLRACE_ISA_NAMESPACE_BEGIN

namespace internal {

template <class T>
constexpr int ComputeBytes() {
  if constexpr (kIsComplex<T>) return kVectorBytes;
  else return sizeof(Compute<T>);
}
// As many lanes as the widest of the types allows. Vectors are clang's; another
// compiler, in a user's own file, makes the same bodies one lane wide.
template <class... T>
constexpr int LanesFor() {
#ifndef __clang__
  return 1;
#endif
  int widest = 1;
  ((widest = ComputeBytes<T>() > widest ? ComputeBytes<T>() : widest), ...);
  return kVectorBytes / widest;
}

template <class Fn, int N, class Out, class A>
void RunBody(const void* const* in, const int64_t* steps, void* out_ptr, int64_t vectors) {
  const A* a = static_cast<const A*>(in[0]);
  Out* out = static_cast<Out*>(out_ptr);
  MILLRACE_PLAIN_LOOP
  for (; vectors > 0; --vectors, out += N, a += steps[0]) Store(out, Fn::Of(Load<A, N>(a)));
}
template <class Fn, int N, class Out, class A, class B>
void RunBody(const void* const* in, const int64_t* steps, void* out_ptr, int64_t vectors) {
  const A* a = static_cast<const A*>(in[0]);
  const B* b = static_cast<const B*>(in[1]);
  Out* out = static_cast<Out*>(out_ptr);
  const int64_t step_a = steps[0], step_b = steps[1];
  MILLRACE_PLAIN_LOOP
  for (; vectors > 0; --vectors, out += N, a += step_a, b += step_b) Store(out, Fn::Of(Load<A, N>(a), Load<B, N>(b)));
}
template <class Fn, int N, class Out, class A, class B, class C>
void RunBody(const void* const* in, const int64_t* steps, void* out_ptr, int64_t vectors) {
  const A* a = static_cast<const A*>(in[0]);
  const B* b = static_cast<const B*>(in[1]);
  const C* c = static_cast<const C*>(in[2]);
  Out* out = static_cast<Out*>(out_ptr);
  const int64_t step_a = steps[0], step_b = steps[1], step_c = steps[2];
  MILLRACE_PLAIN_LOOP
  for (; vectors > 0; --vectors, out += N, a += step_a, b += step_b, c += step_c) {
    Store(out, Fn::Of(Load<A, N>(a), Load<B, N>(b), Load<C, N>(c)));
  }
}

#if MILLRACE_BASELINE
// Apart from loads and stores, so that types that compute alike share the code.
template <class Fn, class... S>
[[gnu::cold, gnu::noinline]] auto RecordFunction(S... x) {
  return Fn::Of(x...);
}
template <class T>
[[gnu::cold, gnu::noinline]] auto RecordedOperand(uint32_t index) {
  const auto type = static_cast<uint32_t>(RecordedType<Memory<T>>());
  return FromMemory<T>(Vec<Memory<T>, 0>::OfId(Recorder::Operand(index, type)));
}
template <class Out, class S>
[[gnu::cold, gnu::noinline]] void RecordResult(S result) {
  Recorder::SetResult(ToMemory<Out>(result).id);
}
template <class Fn, class Out, class... In>
[[gnu::cold]] void RecordBody() {
  uint32_t operand = 0;
  const std::tuple operands{RecordedOperand<In>(operand++)...};  // braces: in order
  RecordResult<Out>(std::apply([](auto... x) { return RecordFunction<Fn>(x...); }, operands));
}
#endif

// How bodies are recorded: as vectors, or not at all.
enum class Tapes { kYes, kNone };

template <class Fn, int N, Tapes kTapes, class Out, class... In>
constexpr Body MakeBody() {
  void (*record)() = nullptr;
#if MILLRACE_BASELINE
  if constexpr (kTapes == Tapes::kYes) record = &RecordBody<Fn, Out, In...>;
#endif
  return Body{{kDTypeOf<In>...}, kDTypeOf<Out>, N, &RunBody<Fn, N, Out, In...>, record};
}

}  // namespace internal

// Groups of bodies of one function object; Fn::Of is generic over the scalars.
// One body, with the output's type first.
template <class Fn, class Out, class... In>
struct Sig {
  static constexpr int kCount = 1;
  static constexpr void Fill(Body* at) {
    *at = internal::MakeBody<Fn, internal::LanesFor<Out, In...>(), internal::Tapes::kYes, Out, In...>();
  }
};
template <class Fn, class... T>
struct Unary {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, T, T>::Fill(at++)), ...); }
};
template <class Fn, class... T>
struct Binary {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, T, T, T>::Fill(at++)), ...); }
};
template <class Fn, class... T>
struct Ternary {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, T, T, T, T>::Fill(at++)), ...); }
};
template <class Fn, class... T>
struct Predicate {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, bool, T>::Fill(at++)), ...); }
};
template <class Fn, class... T>
struct Comparison {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) { ((Sig<Fn, bool, T, T>::Fill(at++)), ...); }
};
// T, T to T by a choice between bits: any type as the integers of its size.
template <class Fn, class As, class... T>
struct Choice {
  static constexpr int kCount = sizeof...(T);
  static constexpr void Fill(Body* at) {
    constexpr Body body = internal::MakeBody<Fn, internal::LanesFor<As>(), internal::Tapes::kYes, As, bool, As, As>();
    ((*at++ = Body{{DType::kBool, kDTypeOf<T>, kDTypeOf<T>}, kDTypeOf<T>, body.lanes, body.run, body.record}), ...);
  }
};
// One lane at a time, for the floor only: what calls the C library, complex
// numbers, integer division. Newer instruction sets would not make it faster.
template <class Fn, class Out, class... In>
struct ScalarSig {
  static constexpr int kCount = MILLRACE_BASELINE;
  static constexpr void Fill(Body* at) {
    if constexpr (MILLRACE_BASELINE) *at = internal::MakeBody<Fn, 1, internal::Tapes::kNone, Out, In...>();
  }
};
template <class Fn, class... T>
struct ScalarUnary {
  static constexpr int kCount = MILLRACE_BASELINE * sizeof...(T);
  static constexpr void Fill(Body* at) { ((ScalarSig<Fn, T, T>::Fill(at), at += MILLRACE_BASELINE), ...); }
};
template <class Fn, class... T>
struct ScalarBinary {
  static constexpr int kCount = MILLRACE_BASELINE * sizeof...(T);
  static constexpr void Fill(Body* at) { ((ScalarSig<Fn, T, T, T>::Fill(at), at += MILLRACE_BASELINE), ...); }
};
template <class Fn, class... T>
struct ScalarComparison {
  static constexpr int kCount = MILLRACE_BASELINE * sizeof...(T);
  static constexpr void Fill(Body* at) { ((ScalarSig<Fn, bool, T, T>::Fill(at), at += MILLRACE_BASELINE), ...); }
};

// The bodies of all groups in one constant array.
template <class... Groups>
struct Bodies {
  static constexpr int kCount = (Groups::kCount + ... + 0);
  struct Array {
    Body bodies[kCount + 1];
  };
  static constexpr Array Make() {
    Array a{};
    Body* at = a.bodies;
    ((Groups::Fill(at), at += Groups::kCount), ...);
    return a;
  }
  static constexpr Array kArray = Make();
  static constexpr BodyTable kTable = {kArray.bodies, kCount};
};

MILLRACE_ISA_NAMESPACE_END

// Function objects: MILLRACE_BINARY_FN(AddFn, x + y).
#define MILLRACE_FN_INTERNAL(Name, params, expression) \
  MILLRACE_ISA_NAMESPACE_BEGIN                         \
  struct Name {                                        \
    template <class S>                                 \
    [[gnu::always_inline]] static auto Of params {     \
      return expression;                               \
    }                                                  \
  };                                                   \
  MILLRACE_ISA_NAMESPACE_END
#define MILLRACE_UNARY_FN(Name, ...) MILLRACE_FN_INTERNAL(Name, (S x), (__VA_ARGS__))
#define MILLRACE_BINARY_FN(Name, ...) MILLRACE_FN_INTERNAL(Name, (S x, S y), (__VA_ARGS__))
#define MILLRACE_TERNARY_FN(Name, ...) MILLRACE_FN_INTERNAL(Name, (S x, S y, S z), (__VA_ARGS__))

// Defines kName, the Expression whose bodies are the groups; `traits` is an
// initializer of ExpressionTraits in parentheses, or the cycles an element costs.
#if MILLRACE_BASELINE
#define MILLRACE_EXPRESSION(Name, traits, ...)                                          \
  namespace millrace::expr::avx512 {                                                    \
  extern const BodyTable Name##Bodies;                                                  \
  }                                                                                     \
  namespace millrace::expr::avx2 {                                                      \
  static constexpr const BodyTable& Name##Bodies = Bodies<__VA_ARGS__>::kTable;         \
  }                                                                                     \
  namespace millrace {                                                                  \
  extern const Expression k##Name;                                                      \
  const Expression k##Name = {#Name,                                                    \
                              ExpressionTraits traits,                                  \
                              {&expr::avx2::Name##Bodies, &expr::avx512::Name##Bodies}, \
                              &MakeElementwise<k##Name>};                               \
  }
#define MILLRACE_BASELINE_EXPRESSION(Name, traits, ...)                                                 \
  namespace millrace::expr::avx2 {                                                                      \
  static constexpr const BodyTable& Name##Bodies = Bodies<__VA_ARGS__>::kTable;                         \
  }                                                                                                     \
  namespace millrace {                                                                                  \
  extern const Expression k##Name;                                                                      \
  const Expression k##Name = {                                                                          \
      #Name, ExpressionTraits traits, {&expr::avx2::Name##Bodies, nullptr}, &MakeElementwise<k##Name>}; \
  }
#else
#define MILLRACE_EXPRESSION(Name, traits, ...)                \
  namespace millrace::expr::MILLRACE_ISA {                    \
  extern const BodyTable Name##Bodies;                        \
  const BodyTable Name##Bodies = Bodies<__VA_ARGS__>::kTable; \
  }
#endif
