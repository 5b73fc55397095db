// Adam and its relatives.
#include <algorithm>
#include <cmath>

#include "millrace/ops/train/update.h"

namespace millrace {
namespace {

struct Adam {
  static constexpr const char* kName = "Adam";
  static constexpr std::array kVars = {"var", "m", "v"};
  static constexpr std::array kOperands = {"beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad"};
  static constexpr size_t kGrad = 6;
  static constexpr std::string_view kFlag = "use_nesterov: bool = false";
  template <typename C>
  struct Step {
    C rate, beta1, one_less_beta1, one_less_beta2, epsilon;
    bool nesterov;
    Step(const C* s, bool flag)
        : rate(s[2] * std::sqrt(C(1) - s[1]) / (C(1) - s[0])),
          beta1(s[3]),
          one_less_beta1(C(1) - s[3]),
          one_less_beta2(C(1) - s[4]),
          epsilon(s[5]),
          nesterov(flag) {}
    void operator()(C& var, C& m, C& v, C g) const {
      m = m + (g - m) * one_less_beta1;
      v = v + (g * g - v) * one_less_beta2;
      const C ahead = nesterov ? g * one_less_beta1 + beta1 * m : m;
      var = var - (ahead * rate) / (std::sqrt(v) + epsilon);
    }
  };
};

struct AdamWithAmsgrad {
  static constexpr const char* kName = "AdamWithAmsgrad";
  static constexpr std::array kVars = {"var", "m", "v", "vhat"};
  static constexpr std::array kOperands = {"beta1_power", "beta2_power", "lr", "beta1", "beta2", "epsilon", "grad"};
  static constexpr size_t kGrad = 6;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C rate, one_less_beta1, one_less_beta2, epsilon;
    Step(const C* s, bool)
        : rate(s[2] * std::sqrt(C(1) - s[1]) / (C(1) - s[0])),
          one_less_beta1(C(1) - s[3]),
          one_less_beta2(C(1) - s[4]),
          epsilon(s[5]) {}
    void operator()(C& var, C& m, C& v, C& vhat, C g) const {
      m = m + (g - m) * one_less_beta1;
      v = v + (g * g - v) * one_less_beta2;
      vhat = vhat > v ? vhat : v;
      var = var - (m * rate) / (std::sqrt(vhat) + epsilon);
    }
  };
};

struct AdaMax {
  static constexpr const char* kName = "AdaMax";
  static constexpr std::array kVars = {"var", "m", "v"};
  static constexpr std::array kOperands = {"beta1_power", "lr", "beta1", "beta2", "epsilon", "grad"};
  static constexpr size_t kGrad = 5;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C rate, one_less_beta1, beta2, epsilon;
    Step(const C* s, bool) : rate(s[1] / (C(1) - s[0])), one_less_beta1(C(1) - s[2]), beta2(s[3]), epsilon(s[4]) {}
    void operator()(C& var, C& m, C& v, C g) const {
      m = m + (g - m) * one_less_beta1;
      const C decayed = beta2 * v, size = std::abs(g);
      v = decayed > size ? decayed : size;
      var = var - rate * (m / (v + epsilon));
    }
  };
};

}  // namespace

namespace families {
void train_adam(Registry& registry) {
  train::DefineUpdate<Adam>(registry, "Adam: gradient descent by the first and second moments of the gradient.");
  train::DefineUpdate<AdamWithAmsgrad>(registry, "Adam by the largest second moment so far.", false);
  train::DefineUpdate<AdaMax>(registry, "Adam by the decaying maximum of the gradient's size.");
}
}  // namespace families
}  // namespace millrace
