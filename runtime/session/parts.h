// Parts: what each part of a run in parts runs, as a signature of its own.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "millrace/compiler/api/compile.h"
#include "millrace/ops/graph/graph.h"

namespace millrace {

// How far a run in parts is: of its feeds, which are given; of its fetches, which were
// asked for; of the nodes it needs, which have had all that they read.
struct PartState {
  std::vector<bool> given, asked, ready;
};

// One part. Names of tensors are in full, "x:0".
struct Part {
  // What runs now: its feeds are given, or kept from parts before. Without fetches and
  // targets, nothing does.
  SignatureSpec spec;
  // What later parts read of feeds and results, sorted.
  std::vector<std::string> kept;
  PartState after;
};

// A node runs in the first part in which all it reads is there, and once, with two
// exceptions: what is made of constants alone is computed wherever it is read, as
// constants are; and what makes or hands on references and handles without changing
// anything is repeated, since these stand for variables, not for values.
//
// Immutable once made. The graph outlives what is asked of it; it may grow.
class Parts {
 public:
  // `declared`: all feeds, fetches and targets, whose names are there. Unimplemented,
  // naming the node, for what cannot run in parts: loops and conditionals, gradients
  // that the compiler is to make, and new resources that another part might read.
  static Result<Parts> Make(const Graph& graph, const SignatureSpec& declared);

  // Before the first part.
  PartState Start() const;
  // The part in which these feeds come and these fetches are asked for (numbers of the
  // declared ones; the feeds are new). InvalidArgument for a fetch that needs more
  // feeds, which it names.
  Result<Part> Next(const PartState& state, std::span<const size_t> feeds, std::span<const size_t> fetches) const;

 private:
  // What a node or a fetch reads: a feed or an output of an item.
  struct Source {
    int64_t feed = -1;
    size_t item = 0;
    int output = -1;         // -1: it waits for the item
    bool reference = false;  // what the output refers to, now
  };
  // A node that is needed; those that it reads come before it.
  struct Item {
    const Node* node = nullptr;
    std::vector<Source> inputs, waits_for;
    bool repeated = false;
    bool target = false;
  };
  // What some nodes and fetches read that is of parts before.
  struct Reading {
    std::set<int64_t> feeds, feeds_waited_for;
    std::set<std::pair<size_t, int>> values;  // outputs of items that ran
    std::set<size_t> ran;                     // items waited for, or that handed on a reference
  };
  class Reader;
  class Maker;

  bool IsThere(const Source& source, const std::vector<bool>& given, const std::vector<bool>& ready) const;
  bool Ran(size_t item, const std::vector<bool>& ready) const { return ready[item] && !items_[item].repeated; }
  std::string NameOf(size_t item, int output) const;
  Status CheckFetch(size_t fetch, const std::vector<bool>& given, const std::vector<bool>& ready) const;

  std::vector<std::string> feed_names_, fetch_names_;
  std::vector<const Node*> feed_nodes_;
  std::vector<Source> fetches_;
  std::vector<Item> items_;
};

}  // namespace millrace
