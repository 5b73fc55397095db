// What a Variable points to, and what a graph's scopes know of their variables.
// Internal to the folder.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "millrace/ops/training/variable.h"
#include "millrace/ops/training/variable_scope.h"

namespace millrace {

struct Variable::State {
  std::string name;
  DType dtype = DType::kInvalid;
  Shape shape;
  bool resource = true, trainable = true;
  Output handle, value, initial_value;
  Operation initializer;
};

// One a graph; see Scope::Extension.
struct VariableStore {
  std::map<const Node*, Variable> by_node;
  std::map<std::string, Variable, std::less<>> by_name;  // made by GetVariable
  // Of the name scopes that VariableScope opened.
  struct Names {
    std::string prefix;  // "outer/inner/"
    Reuse reuse = Reuse::kNo;
  };
  std::map<std::string, Names, std::less<>> scopes;

  // That of the scope's graph, made at the first call.
  static VariableStore& Of(const Scope& scope);
};

// A new variable of this very name, which is unique. The scope is not failed.
Variable MakeVariable(At at, std::string name, const Shape& shape, DType dtype, const Initializer& initializer,
                      const VariableOptions& options);

inline constexpr char kVariables[] = "variables", kTrainableVariables[] = "trainable_variables";

}  // namespace millrace
