#include "millrace/ops/gradients/gradient_context.h"
#include "millrace/ops/gradients/table.h"
#include "millrace/proto/value/strings.h"

namespace millrace {
namespace {

// Branches and loops that were taken apart into nodes: gradients need them whole.
void InPieces(GradientContext& g) {
  g.Fail("the node is a piece of a branch or a loop; gradients through If, While and their relatives need them whole");
}

}  // namespace

namespace gradients {

void control_frames(GradientTable& t) {
  for (const std::string_view prefix : {"", "Ref"}) {
    for (const std::string_view name : {"Switch", "Merge", "Enter", "NextIteration", "Exit"}) {
      t.Define(Cat(prefix, name), InPieces);
    }
  }
}

}  // namespace gradients

}  // namespace millrace
