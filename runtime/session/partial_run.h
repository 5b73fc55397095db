// PartialRun: one run of a session in several calls, each with some of the feeds
// and some of the fetches.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "millrace/devices/api/tensor.h"
#include "millrace/proto/value/dtype.h"
#include "millrace/proto/value/status.h"
#include "millrace/runtime/executor/runner.h"

namespace millrace {

class Parts;
class PartSource;
struct PartState;
struct SignatureSpec;

// Made by Session::StartPartialRun. Each node runs once, in the call that brings the
// last of the feeds that it needs; those that need none have run already. So a random
// number is the same to all parts, a variable is updated once, and read when its reader
// runs. Targets run as other nodes do.
//
// Thread-safe; of several calls, one runs at a time. Other runs of the session, and
// other partial ones, may go on meanwhile. Once the session is closed, calls fail with
// FailedPrecondition. What is kept for later parts is freed when the run is over or
// deleted, which may be before or after the session.
class PartialRun {
 public:
  ~PartialRun();
  PartialRun(const PartialRun&) = delete;

  // Gives these feeds, runs what they were missing for, and returns these fetches,
  // which may be as many as none, as new tensors. The feeds' memory is shared as long as
  // later parts read it: it is not to be changed.
  //
  // InvalidArgument, and nothing has run: a feed or fetch that was not declared, a feed
  // of another dtype, a feed that is given or a fetch that was asked for in a call
  // before (in one call, a fetch may stand twice), a fetch that needs feeds that are not
  // given yet, and any call after the run is over. An error of what has to be compiled
  // first, limits of the options among them, leaves the run as it was, too; any other
  // ends it.
  Result<std::vector<Tensor>> Run(const std::vector<std::pair<std::string, Tensor>>& feeds,
                                  const std::vector<std::string>& fetches, const RunOptions& options = {},
                                  RunMetadata* metadata = nullptr);

  // The same for a host that has its memory back afterwards: what later parts read of
  // the feeds is copied.
  Result<std::vector<Tensor>> RunViews(std::span<const std::pair<std::string, TensorView>> feeds,
                                       const std::vector<std::string>& fetches, const RunOptions& options = {},
                                       RunMetadata* metadata = nullptr);

  // Every feed is given and every fetch was asked for, or a part failed.
  bool over() const;

 private:
  friend class Session;
  struct Feed;
  // Each fetch is declared once.
  PartialRun(const SignatureSpec& declared, std::vector<DType> feed_types, Parts parts,
             std::weak_ptr<PartSource> source);

  Result<std::vector<Tensor>> RunPart(std::span<const Feed> feeds, const std::vector<std::string>& asked,
                                      const RunOptions& options, RunMetadata* metadata);
  Result<std::vector<size_t>> FeedNumbers(std::span<const Feed> feeds) const;
  Result<std::vector<size_t>> FetchNumbers(const std::vector<std::string>& fetches) const;
  void End();

  const std::vector<DType> feed_types_;
  const std::map<std::string, size_t> feeds_, fetches_;  // their numbers
  const std::unique_ptr<const Parts> parts_;
  const std::weak_ptr<PartSource> source_;

  mutable std::timed_mutex mutex_;
  std::unique_ptr<PartState> state_;      // guarded by mutex_, as are those below; null when it is over
  std::map<std::string, Tensor> values_;  // kept for later parts
};

}  // namespace millrace
