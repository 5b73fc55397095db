// Binding: what one set of feed shapes decides. Made once for each, then shared
// by every run with those shapes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "millrace/runtime/plan/loaded_plan.h"

namespace millrace::exec {

// Dims of a value as the feeds decide them.
struct BoundValue {
  bool known = false;  // rank and every dim
  int rank = -1;       // -1 where the rank is not known
  // rank of them; -1 where not known. Points into the binding.
  const int64_t* dims = nullptr;
  int64_t num_elements = 0;
  size_t bytes = 0;
  void* data = nullptr;      // constants and extents
  size_t offset = SIZE_MAX;  // in the arena of its device
};

struct StepState {
  // Values come during the run: see LoadedStep::has_late, and hidden outputs of
  // unknown size.
  bool slow = false;
  // The shape function could not say all; it is asked again at the run.
  bool infer_at_run = false;
};

// Immutable once made.
class Binding {
 public:
  // `arguments` are the dims of the block's arguments. `signature` is null for
  // an inner block, whose symbols are those of `outer`. Errors name the node (or
  // the feed), with expected and found.
  static Result<std::shared_ptr<const Binding>> Make(const LoadedPlan& plan, uint32_t block,
                                                     const plan::Signature* signature,
                                                     std::span<const TensorView> arguments,
                                                     const Binding* outer = nullptr);

  // True where the arguments have the dims that this binding was made for.
  bool Matches(std::span<const TensorView> arguments) const {
    const int64_t* key = key_.data();
    for (const TensorView& a : arguments) {
      if (*key++ != a.rank) return false;
      for (int d = 0; d < a.rank; ++d) {
        if (*key++ != a.dims[d]) return false;
      }
    }
    return true;
  }

  const std::vector<BoundValue>& values() const { return values_; }
  const std::vector<StepState>& steps() const { return steps_; }
  // Of each of the plan's devices.
  const std::vector<size_t>& arena_bytes() const { return arena_bytes_; }
  // Worth spreading steps over threads.
  bool parallel() const { return parallel_; }
  // Elements of a value that inference knows (shape arithmetic), or null.
  const SymTensor* elements(uint32_t v) const { return elements_[v].get(); }

 private:
  friend class Binder;
  Binding() = default;

  std::vector<int64_t> key_;
  std::vector<int64_t> symbols_;
  std::vector<uint8_t> symbol_bound_;
  std::deque<std::vector<int64_t>> dims_;     // stable memory of dims
  std::deque<std::vector<int64_t>> extents_;  // stable memory of kDims elements
  std::vector<BoundValue> values_;
  std::vector<StepState> steps_;
  std::vector<std::unique_ptr<SymTensor>> elements_;
  std::vector<size_t> arena_bytes_;
  bool parallel_ = false;
};

// One step's shape function, as the binding and a run ask it: `inputs` as they
// are, `outputs` what it answers.
struct InferInput {
  DType dtype = DType::kInvalid;
  bool has_rank = false;
  std::span<const int64_t> dims;         // -1 unknown
  const TensorView* contents = nullptr;  // where they are there
  const SymTensor* elements = nullptr;
  const plan::Resource* resource = nullptr;
};
struct InferOutput {
  bool has_rank = false;
  std::vector<int64_t> dims;  // -1 unknown
  bool has_elements = false;
  SymTensor elements;
  bool known() const;
};
Status InferStep(const LoadedStep& step, std::span<const InferInput> inputs, std::vector<InferOutput>* outputs);

// "[2,?]" for messages.
std::string DimsText(bool has_rank, std::span<const int64_t> dims);

}  // namespace millrace::exec
