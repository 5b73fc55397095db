#include "millrace/ops/cluster/late_code.h"

namespace millrace::cluster {
namespace {

// How often runs must have lost what compiling costs: a plan that runs a few times,
// in a process that soon ends, is not worth the start of a code generator.
constexpr double kPatience = 4;

}  // namespace

LateCode::LateCode(std::unique_ptr<const Prepared> prepared, const Registry& registry, std::shared_ptr<CodeMaker> maker)
    : first_(std::move(prepared)),
      registry_(registry),
      maker_(std::move(maker)),
      gain_(maker_ != nullptr ? GainOfCode(first_.prepared->program, registry) : CodeGain()),
      current_(&first_),
      waiting_(gain_.element > 0) {}

void LateCode::Add(int64_t elements) {
  const auto lost = static_cast<int64_t>(gain_.Of(elements) * 1000);
  const int64_t before = lost_.fetch_add(lost, std::memory_order_relaxed);
  if (static_cast<double>(before + lost) < gain_.make * 1000 * kPatience) return;
  if (waiting_.exchange(false, std::memory_order_relaxed)) maker_->Want(shared_from_this());
}

void LateCode::Use(std::shared_ptr<const CodeStore> code, std::string_view symbol) {
  if (second_ != nullptr) return;
  Result<std::unique_ptr<Prepared>> prepared = Prepared::Make(program(), registry_, code.get(), symbol);
  if (!prepared.ok()) return;  // it could be made before; then it stays as it is
  code_ = std::move(code);
  second_ = std::make_unique<const Form>(std::move(*prepared));
  current_.store(second_.get(), std::memory_order_release);
}

}  // namespace millrace::cluster
