// GraphDef and its parts as plain values: what the codec reads and writes. The
// live graph (ops/graph) is what the rest of the project works on.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "millrace/proto/value/attr.h"

namespace millrace {

struct NodeDef {
  std::string name;
  std::string op;
  // "name", "name:k", and last the control inputs "^name".
  std::vector<std::string> inputs;
  std::string device;
  AttrMap attrs;
  // Wire bytes of fields this project does not read (debug info, full types).
  std::string unread_fields;
  friend bool operator==(const NodeDef&, const NodeDef&) = default;
};

struct VersionDef {
  int32_t producer = 0;
  int32_t min_consumer = 0;
  std::vector<int32_t> bad_consumers;
  friend bool operator==(const VersionDef&, const VersionDef&) = default;
};

// An argument of an op or of a function.
struct ArgDef {
  std::string name;
  std::string description;
  DType type = DType::kInvalid;  // set where the type is fixed
  std::string type_attr;         // else the attribute that gives it
  std::string number_attr;       // a repeated argument: the attribute that counts
  std::string type_list_attr;    // a heterogeneous list: the attribute that lists
  bool is_ref = false;
  std::string unread_fields;
  friend bool operator==(const ArgDef&, const ArgDef&) = default;
};

struct AttrDef {
  std::string name;
  std::string type;         // "int", "list(type)" ...
  AttrValue default_value;  // of kind kNone where there is none
  bool has_default = false;
  std::string description;
  bool has_minimum = false;
  int64_t minimum = 0;
  AttrValue allowed_values;  // a list, or kNone
  friend bool operator==(const AttrDef&, const AttrDef&) = default;
};

struct OpDeprecation {
  int32_t version = 0;
  std::string explanation;
  friend bool operator==(const OpDeprecation&, const OpDeprecation&) = default;
};

// The signature of an op, as registries list it.
struct OpDefValue {
  std::string name;
  std::vector<ArgDef> inputs;
  std::vector<ArgDef> outputs;
  std::vector<std::string> control_outputs;
  std::vector<AttrDef> attrs;
  bool has_deprecation = false;
  OpDeprecation deprecation;
  std::string summary;
  std::string description;
  bool is_commutative = false;
  bool is_aggregate = false;
  bool is_stateful = false;
  bool allows_uninitialized_input = false;
  bool is_distributed_communication = false;
  friend bool operator==(const OpDefValue&, const OpDefValue&) = default;
};

struct FunctionDef {
  OpDefValue signature;
  AttrMap attrs;
  std::map<uint32_t, AttrMap> arg_attrs;
  std::map<uint32_t, uint32_t> resource_arg_unique_id;
  std::vector<NodeDef> nodes;
  std::map<std::string, std::string> ret;
  std::map<std::string, std::string> control_ret;
  friend bool operator==(const FunctionDef&, const FunctionDef&) = default;
};

struct GradientDef {
  std::string function_name;
  std::string gradient_func;
  friend bool operator==(const GradientDef&, const GradientDef&) = default;
};

struct FunctionLibrary {
  std::vector<FunctionDef> functions;
  std::vector<GradientDef> gradients;
  std::string unread_fields;
  friend bool operator==(const FunctionLibrary&, const FunctionLibrary&) = default;
};

struct GraphDef {
  std::vector<NodeDef> nodes;
  bool has_library = false;  // an empty library on the wire differs from none
  FunctionLibrary library;
  bool has_versions = false;
  VersionDef versions;
  int32_t deprecated_version = 0;
  std::string unread_fields;
  friend bool operator==(const GraphDef&, const GraphDef&) = default;
};

}  // namespace millrace
