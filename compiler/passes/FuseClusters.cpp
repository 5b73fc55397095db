#include "millrace/compiler/passes/ClusterBuilder.h"
#include "millrace/compiler/passes/Passes.h"
#include "millrace/compiler/passes/Steps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace millrace::compiler {
#define GEN_PASS_DEF_FUSECLUSTERS
#include "millrace_passes/Passes.h.inc"

namespace {

struct FuseClusters : impl::FuseClustersBase<FuseClusters> {
  void runOnOperation() override {
    CompileState &state = stateOf(getOperation());
    const Op *clusterOp = state.registry->Find(cluster::kClusterOp);
    if (!clusterOp || clusterOp->kernels().empty())
      return;
    const auto note = [](Operation *op, const char *why) {
      op->setAttr("fuse.why", StringAttr::get(op->getContext(), why));
    };
    forEachBody(getOperation(), [&](Block &block) {
      std::vector<ClusterGroup> groups =
          state.trace ? groupForClusters(block, note) : groupForClusters(block);
      bool changed = false;
      // Halves of what is too large come behind.
      for (size_t i = 0; i < groups.size(); ++i) {
        const ClusterGroup group = std::move(groups[i]);
        bool tooLarge = false;
        if (std::unique_ptr<BuiltCluster> built = buildCluster(group, tooLarge)) {
          replaceMembers(group, *built, *clusterOp);
          changed = true;
        } else if (tooLarge && group.space.rowRank == 0 && group.members.size() >= 4) {
          const auto half = group.members.begin() + group.members.size() / 2;
          groups.push_back({group.space, {group.members.begin(), half}});
          groups.push_back({group.space, {half, group.members.end()}});
        } else if (state.trace) {
          for (Operation *op : group.members)
            note(op, tooLarge ? "the cluster would be too large"
                              : "its operands do not say how large it is");
        }
      }
      if (changed)
        sortBlock(block);
    });
  }
};

} // namespace
} // namespace millrace::compiler
