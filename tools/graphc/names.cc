#include "millrace/tools/graphc/names.h"

#include <algorithm>
#include <numeric>

#include "millrace/ops/graph/tensor_name.h"
#include "millrace/proto/value/strings.h"

namespace millrace::graphc {
namespace {

// How many letters must be put in, taken out or changed to come from one to the other;
// `bound` where it is that or more.
size_t Distance(std::string_view a, std::string_view b, size_t bound) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) >= bound) return bound;
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, diagonal + 1});
    }
    if (*std::min_element(row.begin(), row.end()) >= bound) return bound;
  }
  return std::min(row.back(), bound);
}

}  // namespace

std::string NearestName(const Graph& graph, std::string_view wanted) {
  if (wanted.size() > 1000) return "";
  std::string nearest;
  size_t best = wanted.size() / 3 + 2;
  for (const auto& node : graph.nodes()) {
    // A name without the scope that it is in counts as one wrong letter.
    const std::string& name = node->name();
    const bool scope_left_out =
        name.size() > wanted.size() + 1 && name.ends_with(wanted) && name[name.size() - wanted.size() - 1] == '/';
    const size_t distance = scope_left_out ? std::min<size_t>(1, best) : Distance(wanted, name, best);
    if (distance >= best) continue;
    best = distance;
    nearest = name;
  }
  return nearest;
}

Status CheckNames(const std::string& path, const Graph& graph, const char* option,
                  const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    const std::string node(ParseTensorName(name).node);
    if (graph.Find(node) != nullptr) continue;
    std::string message = Cat(path, ": ", option, " ", name, ": there is no node '", node, "'");
    if (const std::string nearest = NearestName(graph, node); !nearest.empty()) {
      message += Cat("; did you mean '", nearest, "'?");
    } else {
      message += Cat("; graphc print ", path, " lists them");
    }
    return NotFound(std::move(message));
  }
  return OkStatus();
}

Status CheckNames(const std::string& path, const Graph& graph, const std::vector<SignatureSpec>& signatures) {
  for (const SignatureSpec& signature : signatures) {
    MR_RETURN_IF_ERROR(CheckNames(path, graph, "feed", signature.feeds));
    MR_RETURN_IF_ERROR(CheckNames(path, graph, "fetch", signature.fetches));
    MR_RETURN_IF_ERROR(CheckNames(path, graph, "target", signature.targets));
  }
  return OkStatus();
}

}  // namespace millrace::graphc
