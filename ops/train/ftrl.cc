// FTRL-proximal.
#include <algorithm>
#include <cmath>

#include "millrace/ops/train/sparse_update.h"

namespace millrace {
namespace {

// `lr_power` is nearly always -0.5, where powers are square roots.
template <typename C>
struct Ftrl {
  C lr, l1, l2, l2_shrinkage, lr_power;
  bool by_lr;  // `linear` is kept multiplied by the rate

  C Power(C x) const { return lr_power == C(-0.5) ? std::sqrt(x) : std::pow(x, -lr_power); }
  void Apply(C& var, C& accum, C& linear, C g) const {
    const C next = accum + g * g;
    const C shrunk = g + C(2) * l2_shrinkage * var;
    const C before = Power(accum), after = Power(next);
    C bound = l1, denominator;
    if (by_lr) {
      linear = linear + (shrunk * lr - (after - before) * var);
      denominator = after + C(2) * l2 * lr;
      bound = l1 * lr;
    } else {
      linear = linear + (shrunk - (after - before) / lr * var);
      denominator = after / lr + C(2) * l2;
    }
    const C clipped = std::min(std::max(linear, -bound), bound);
    var = (clipped - linear) / denominator;
    accum = next;
  }
};

struct FtrlV1 {
  static constexpr const char* kName = "Ftrl";
  static constexpr std::array kVars = {"var", "accum", "linear"};
  static constexpr std::array kOperands = {"grad", "lr", "l1", "l2", "lr_power"};
  static constexpr size_t kGrad = 0;
  static constexpr std::string_view kFlag = "multiply_linear_by_lr: bool = false";
  template <typename C>
  struct Step {
    Ftrl<C> ftrl;
    Step(const C* s, bool flag) : ftrl{s[0], s[1], s[2], C(0), s[3], flag} {}
    void operator()(C& var, C& accum, C& linear, C g) const { ftrl.Apply(var, accum, linear, g); }
  };
};

struct FtrlV2 {
  static constexpr const char* kName = "FtrlV2";
  static constexpr std::array kVars = {"var", "accum", "linear"};
  static constexpr std::array kOperands = {"grad", "lr", "l1", "l2", "l2_shrinkage", "lr_power"};
  static constexpr size_t kGrad = 0;
  static constexpr std::string_view kFlag = "multiply_linear_by_lr: bool = false";
  template <typename C>
  struct Step {
    Ftrl<C> ftrl;
    Step(const C* s, bool flag) : ftrl{s[0], s[1], s[2], s[3], s[4], flag} {}
    void operator()(C& var, C& accum, C& linear, C g) const { ftrl.Apply(var, accum, linear, g); }
  };
};

}  // namespace

namespace families {
void train_ftrl(Registry& registry) {
  train::DefineUpdate<FtrlV1>(registry, "Follow the regularised leader, with L1 and L2 regularisation.");
  train::DefineUpdate<FtrlV2>(registry, "Follow the regularised leader, with shrinkage of the gradient.");
  train::DefineSparseUpdate<FtrlV1>(registry, "FTRL on the rows that the indices name.");
  train::DefineSparseUpdate<FtrlV2>(registry, "FTRL with shrinkage on the rows that the indices name.");
}
}  // namespace families
}  // namespace millrace
