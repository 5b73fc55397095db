// A cluster in use, whose code may come between two runs.
#pragma once

#include <atomic>
#include <memory>

#include "millrace/ops/cluster/code.h"
#include "millrace/ops/cluster/gain.h"
#include "millrace/ops/cluster/prepared.h"
#include "millrace/ops/cluster/small.h"

namespace millrace::cluster {

// What a run needs of a program, with or without code; it never changes.
struct Form {
  explicit Form(std::unique_ptr<const Prepared> made) : prepared(std::move(made)), small(*prepared) {}
  const std::unique_ptr<const Prepared> prepared;
  const SmallProgram small;
};

// Starts without code. Runs say how large they were; once they have lost several
// times what making code costs, the maker is told, and what it gives is in force
// from the next run on: a run keeps the form that it began with, and both give the
// same bits. Thread-safe.
class LateCode final : public CodeUser, public std::enable_shared_from_this<LateCode> {
 public:
  // No maker: never has code but what `prepared` came with. The registry is there
  // until the maker is closed.
  LateCode(std::unique_ptr<const Prepared> prepared, const Registry& registry, std::shared_ptr<CodeMaker> maker);

  // For one run.
  const Form& form() const { return *current_.load(std::memory_order_acquire); }
  // A run over `elements` elements, without code, has ended.
  void Count(int64_t elements) {
    if (waiting_.load(std::memory_order_relaxed)) Add(elements);
  }

  const Program& program() const override { return first_.prepared->program; }
  const Registry& registry() const override { return registry_; }
  void Use(std::shared_ptr<const CodeStore> code, std::string_view symbol) override;

 private:
  void Add(int64_t elements);

  const Form first_;
  const Registry& registry_;
  const std::shared_ptr<CodeMaker> maker_;
  const CodeGain gain_;
  std::shared_ptr<const CodeStore> code_;  // that second_ calls
  std::unique_ptr<const Form> second_;     // set once, before current_
  std::atomic<const Form*> current_;
  std::atomic<bool> waiting_;      // the maker was not told yet, and might be
  std::atomic<int64_t> lost_ = 0;  // nanoseconds, by the model of gain.h
};

}  // namespace millrace::cluster
