// Running what a test has built.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "millrace/ops/builder/ops.h"
#include "millrace/ops/training/training.h"
#include "millrace/runtime/session/session.h"
#include "millrace/tests/test.h"

namespace millrace {

// A session over a scope's graph, made at the first run.
class Runs {
 public:
  explicit Runs(const Scope& scope) : scope_(scope) {}

  // Runs `operation`; the test fails where the run does.
  void Do(const Operation& operation) {
    const Status status = Try({}, {operation}).status();
    INFO(status.ToString());
    REQUIRE(status.ok());
  }
  // The elements of a float, double, int32 or int64 tensor.
  std::vector<double> Get(const Output& output, const std::vector<std::pair<std::string, Tensor>>& feeds = {}) {
    const Result<std::vector<Tensor>> results = Try({output}, {}, feeds);
    INFO(results.status().ToString());
    REQUIRE(results.ok());
    return Elements((*results)[0]);
  }
  Result<std::vector<Tensor>> Try(const std::vector<std::string>& fetches, const std::vector<std::string>& targets,
                                  const std::vector<std::pair<std::string, Tensor>>& feeds = {}) {
    if (!scope_.ok()) return scope_.status();
    if (session_ == nullptr) {
      SessionOptions options;
      options.threads = 1;
      MR_ASSIGN_OR_RETURN(session_, Session::New(scope_.graph(), options));
    }
    return session_->Run(feeds, fetches, targets);
  }

  static std::vector<double> Elements(const Tensor& tensor) {
    const auto all = [&]<typename T>(T) {
      const auto elements = tensor.elements<T>();
      return std::vector<double>(elements.begin(), elements.end());
    };
    switch (tensor.dtype()) {
      case DType::kFloat:
        return all(float());
      case DType::kDouble:
        return all(double());
      case DType::kInt32:
        return all(int32_t());
      case DType::kInt64:
        return all(int64_t());
      default:
        FAIL("unexpected dtype " << DTypeName(tensor.dtype()));
    }
    return {};
  }

 private:
  const Scope scope_;
  std::unique_ptr<Session> session_;
};

inline void CheckNear(const std::vector<double>& found, const std::vector<double>& expected, double tolerance = 1e-5) {
  REQUIRE(found.size() == expected.size());
  for (size_t i = 0; i < found.size(); ++i) {
    INFO("element " << i);
    CHECK(found[i] == Approx(expected[i]).epsilon(tolerance).margin(tolerance));
  }
}

}  // namespace millrace
