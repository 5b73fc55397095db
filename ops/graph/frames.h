// Frames of v1 control flow: which loop each node is in.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "millrace/ops/graph/graph.h"

namespace millrace {

// One while loop: what Enter nodes of one frame name, met in one parent, open.
struct Frame {
  std::string name;  // attribute "frame_name" of its Enters
  int parent = -1;   // in Frames::frames; -1: no loop around it
  int64_t parallel_iterations = 0;
  std::vector<Node*> enters;           // constants of the loop (is_constant) among them
  std::vector<Node*> merges;           // loop variables, where an Enter meets a back edge
  std::vector<Node*> next_iterations;  // sources of the back edges
  std::vector<Node*> exits;
  Node* condition = nullptr;  // the LoopCond
};

struct Frames {
  std::vector<Frame> frames;  // parents come before what is inside
  // Of each node, by id: the frame that it runs in, -1 outside of all. An Enter
  // counts to the frame it opens, an Exit to the one it leaves for.
  std::vector<int> of;
};

// Finds the frames of a graph, in time linear in its nodes and edges.
// InvalidArgument, naming the node, for control flow that no run could follow:
// inputs of one node from different frames, an Exit or NextIteration outside of
// any loop, a back edge from another frame, two LoopConds in one frame, a loop
// without a LoopCond, Enters of one frame that disagree.
Result<Frames> FindFrames(const Graph& graph);

}  // namespace millrace
