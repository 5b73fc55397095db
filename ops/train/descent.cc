// Plain gradient descent, momentum, and their proximal forms.
#include <cmath>

#include "millrace/ops/train/sparse_update.h"

namespace millrace {
namespace {

struct GradientDescent {
  static constexpr const char* kName = "GradientDescent";
  static constexpr std::array kVars = {"var"};
  static constexpr std::array kOperands = {"alpha", "delta"};
  static constexpr size_t kGrad = 1;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C alpha;
    Step(const C* s, bool) : alpha(s[0]) {}
    void operator()(C& var, C g) const { var = var - alpha * g; }
  };
};

struct Momentum {
  static constexpr const char* kName = "Momentum";
  static constexpr std::array kVars = {"var", "accum"};
  static constexpr std::array kOperands = {"lr", "grad", "momentum"};
  static constexpr size_t kGrad = 1;
  static constexpr std::string_view kFlag = "use_nesterov: bool = false";
  template <typename C>
  struct Step {
    C lr, momentum;
    bool nesterov;
    Step(const C* s, bool flag) : lr(s[0]), momentum(s[1]), nesterov(flag) {}
    void operator()(C& var, C& accum, C g) const {
      accum = accum * momentum + g;
      var = var - (nesterov ? g * lr + accum * momentum * lr : accum * lr);
    }
  };
};

struct KerasMomentum {
  static constexpr const char* kName = "KerasMomentum";
  static constexpr std::array kVars = {"var", "accum"};
  static constexpr std::array kOperands = {"lr", "grad", "momentum"};
  static constexpr size_t kGrad = 1;
  static constexpr std::string_view kFlag = "use_nesterov: bool = false";
  template <typename C>
  struct Step {
    C lr, momentum;
    bool nesterov;
    Step(const C* s, bool flag) : lr(s[0]), momentum(s[1]), nesterov(flag) {}
    void operator()(C& var, C& accum, C g) const {
      accum = accum * momentum - g * lr;
      var = var + (nesterov ? accum * momentum - g * lr : accum);
    }
  };
};

// Towards zero by `by`, and no further.
template <typename C>
inline C Shrink(C x, C by) {
  const C size = std::abs(x) - by;
  return size > 0 ? std::copysign(size, x) : C(0);
}

struct ProximalGradientDescent {
  static constexpr const char* kName = "ProximalGradientDescent";
  static constexpr std::array kVars = {"var"};
  static constexpr std::array kOperands = {"alpha", "l1", "l2", "delta"};
  static constexpr size_t kGrad = 3;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C alpha, l1, scale;
    Step(const C* s, bool) : alpha(s[0]), l1(s[1] > 0 ? s[1] : C(0)), scale(C(1) + s[2] * s[0]) {}
    void operator()(C& var, C g) const { var = Shrink(var - g * alpha, alpha * l1) / scale; }
  };
};

struct ProximalAdagrad {
  static constexpr const char* kName = "ProximalAdagrad";
  static constexpr std::array kVars = {"var", "accum"};
  static constexpr std::array kOperands = {"lr", "l1", "l2", "grad"};
  static constexpr size_t kGrad = 3;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C lr, l1, l2;
    Step(const C* s, bool) : lr(s[0]), l1(s[1] > 0 ? s[1] : C(0)), l2(s[2]) {}
    void operator()(C& var, C& accum, C g) const {
      accum = accum + g * g;
      const C rate = lr / std::sqrt(accum);
      var = Shrink(var - g * rate, rate * l1) / (C(1) + l2 * rate);
    }
  };
};

}  // namespace

namespace families {
void train_descent(Registry& registry) {
  train::DefineUpdate<GradientDescent>(registry, "var -= alpha * delta.");
  train::DefineUpdate<Momentum>(registry, "Gradient descent with momentum: accum = accum * momentum + grad.");
  train::DefineUpdate<KerasMomentum>(registry, "Gradient descent with momentum: accum = accum * momentum - lr * grad.",
                                     false);
  train::DefineUpdate<ProximalGradientDescent>(registry, "Gradient descent with L1 and L2 regularisation.");
  train::DefineUpdate<ProximalAdagrad>(registry, "Adagrad with L1 and L2 regularisation.");
  train::DefineSparseUpdate<Momentum>(registry, "Momentum on the rows that the indices name.");
  train::DefineSparseUpdate<KerasMomentum>(registry,
                                           "Momentum, with the rate inside, on the rows that the indices name.", false);
  train::DefineSparseUpdate<ProximalGradientDescent>(registry, "The proximal step on the rows that the indices name.");
  train::DefineSparseUpdate<ProximalAdagrad>(registry, "Proximal Adagrad on the rows that the indices name.");
}
}  // namespace families
}  // namespace millrace
