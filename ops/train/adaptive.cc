// Adagrad, Adadelta, RMSProp, and the updates by the sign of the gradient.
#include <cmath>

#include "millrace/ops/train/sparse_update.h"

namespace millrace {
namespace {

struct Adagrad {
  static constexpr const char* kName = "Adagrad";
  static constexpr std::array kVars = {"var", "accum"};
  static constexpr std::array kOperands = {"lr", "grad"};
  static constexpr size_t kGrad = 1;
  static constexpr std::string_view kFlag = "update_slots: bool = true";
  template <typename C>
  struct Step {
    C lr;
    bool update_slots;
    Step(const C* s, bool flag) : lr(s[0]), update_slots(flag) {}
    void operator()(C& var, C& accum, C g) const {
      accum = update_slots ? accum + g * g : accum;
      var = var - g * lr / std::sqrt(accum);
    }
  };
};

struct AdagradV2 {
  static constexpr const char* kName = "AdagradV2";
  static constexpr std::array kVars = {"var", "accum"};
  static constexpr std::array kOperands = {"lr", "epsilon", "grad"};
  static constexpr size_t kGrad = 2;
  static constexpr std::string_view kFlag = "update_slots: bool = true";
  template <typename C>
  struct Step {
    C lr, epsilon;
    bool update_slots;
    Step(const C* s, bool flag) : lr(s[0]), epsilon(s[1]), update_slots(flag) {}
    void operator()(C& var, C& accum, C g) const {
      accum = update_slots ? accum + g * g : accum;
      var = var - g * lr / (std::sqrt(accum) + epsilon);
    }
  };
};

struct Adadelta {
  static constexpr const char* kName = "Adadelta";
  static constexpr std::array kVars = {"var", "accum", "accum_update"};
  static constexpr std::array kOperands = {"lr", "rho", "epsilon", "grad"};
  static constexpr size_t kGrad = 3;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C lr, rho, one_less_rho, epsilon;
    Step(const C* s, bool) : lr(s[0]), rho(s[1]), one_less_rho(C(1) - s[1]), epsilon(s[2]) {}
    void operator()(C& var, C& accum, C& accum_update, C g) const {
      accum = accum * rho + g * g * one_less_rho;
      const C step = std::sqrt(accum_update + epsilon) / std::sqrt(accum + epsilon) * g;
      accum_update = accum_update * rho + step * step * one_less_rho;
      var = var - step * lr;
    }
  };
};

struct RMSProp {
  static constexpr const char* kName = "RMSProp";
  static constexpr std::array kVars = {"var", "ms", "mom"};
  static constexpr std::array kOperands = {"lr", "rho", "momentum", "epsilon", "grad"};
  static constexpr size_t kGrad = 4;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C lr, one_less_rho, momentum, epsilon;
    Step(const C* s, bool) : lr(s[0]), one_less_rho(C(1) - s[1]), momentum(s[2]), epsilon(s[3]) {}
    void operator()(C& var, C& ms, C& mom, C g) const {
      ms = ms + (g * g - ms) * one_less_rho;
      mom = mom * momentum + (g * lr) / std::sqrt(ms + epsilon);
      var = var - mom;
    }
  };
};

struct CenteredRMSProp {
  static constexpr const char* kName = "CenteredRMSProp";
  static constexpr std::array kVars = {"var", "mg", "ms", "mom"};
  static constexpr std::array kOperands = {"lr", "rho", "momentum", "epsilon", "grad"};
  static constexpr size_t kGrad = 4;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C lr, one_less_rho, momentum, epsilon;
    Step(const C* s, bool) : lr(s[0]), one_less_rho(C(1) - s[1]), momentum(s[2]), epsilon(s[3]) {}
    void operator()(C& var, C& mg, C& ms, C& mom, C g) const {
      ms = ms + (g * g - ms) * one_less_rho;
      mg = mg + (g - mg) * one_less_rho;
      mom = mom * momentum + (g * lr) / std::sqrt((ms - mg * mg) + epsilon);
      var = var - mom;
    }
  };
};

template <typename C>
inline C SignOf(C x) {
  return static_cast<C>((x > 0) - (x < 0));
}

struct AddSign {
  static constexpr const char* kName = "AddSign";
  static constexpr std::array kVars = {"var", "m"};
  static constexpr std::array kOperands = {"lr", "alpha", "sign_decay", "beta", "grad"};
  static constexpr size_t kGrad = 4;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    C lr, alpha, sign_decay, beta, one_less_beta;
    Step(const C* s, bool) : lr(s[0]), alpha(s[1]), sign_decay(s[2]), beta(s[3]), one_less_beta(C(1) - s[3]) {}
    void operator()(C& var, C& m, C g) const {
      m = m * beta + g * one_less_beta;
      var = var - lr * (alpha + sign_decay * (SignOf(g) * SignOf(m))) * g;
    }
  };
};

struct PowerSign {
  static constexpr const char* kName = "PowerSign";
  static constexpr std::array kVars = {"var", "m"};
  static constexpr std::array kOperands = {"lr", "logbase", "sign_decay", "beta", "grad"};
  static constexpr size_t kGrad = 4;
  static constexpr std::string_view kFlag = "";
  template <typename C>
  struct Step {
    // The exponent has three values: agree, disagree, zero.
    C lr, up, down, beta, one_less_beta;
    Step(const C* s, bool)
        : lr(s[0]), up(std::exp(s[1] * s[2])), down(std::exp(-(s[1] * s[2]))), beta(s[3]), one_less_beta(C(1) - s[3]) {}
    void operator()(C& var, C& m, C g) const {
      m = m * beta + g * one_less_beta;
      const C agree = SignOf(g) * SignOf(m);
      var = var - lr * (agree > 0 ? up : agree < 0 ? down : C(1)) * g;
    }
  };
};

}  // namespace

namespace families {
void train_adaptive(Registry& registry) {
  train::DefineUpdate<Adagrad>(registry, "Adagrad: the rate falls with the sum of squared gradients.");
  train::DefineUpdate<AdagradV2>(registry, "Adagrad with an epsilon beside the root.");
  train::DefineUpdate<Adadelta>(registry, "Adadelta: the rate follows the sizes of past updates.");
  train::DefineUpdate<RMSProp>(registry, "RMSProp: the rate falls with the decaying mean of squared gradients.");
  train::DefineUpdate<CenteredRMSProp>(registry, "RMSProp by the gradient's variance.");
  train::DefineSparseUpdate<Adagrad>(registry, "Adagrad on the rows that the indices name.");
  train::DefineSparseUpdate<AdagradV2>(registry, "Adagrad with an epsilon, on the rows that the indices name.");
  train::DefineSparseUpdate<Adadelta>(registry, "Adadelta on the rows that the indices name.");
  train::DefineSparseUpdate<RMSProp>(registry, "RMSProp on the rows that the indices name.");
  train::DefineSparseUpdate<CenteredRMSProp>(registry, "Centred RMSProp on the rows that the indices name.");
  train::DefineUpdate<AddSign>(registry, "The step grows where the gradient and its mean agree, by addition.");
  train::DefineUpdate<PowerSign>(registry, "The step grows where the gradient and its mean agree, by a power.");
}
}  // namespace families
}  // namespace millrace
