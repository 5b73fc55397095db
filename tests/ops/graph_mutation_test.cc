// Real graphs with something wrong in them: import never crashes, and what it
// refuses it blames on a node.
#include <cstring>
#include <limits>
#include <random>

#include "millrace/devices/api/buffer.h"
#include "millrace/ops/graph/graph.h"
#include "millrace/proto/codec/graph_def.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

class Mutator {
 public:
  explicit Mutator(uint64_t seed) : random_(seed) {}

  void Change(GraphDef* def) {
    NodeDef& node = def->nodes[Below(def->nodes.size())];
    switch (Below(5)) {
      case 0:
        if (!node.inputs.empty()) node.inputs[Below(node.inputs.size())] = def->nodes[Below(def->nodes.size())].name;
        break;
      case 1:
        if (!node.inputs.empty())
          node.inputs.erase(node.inputs.begin() + static_cast<ptrdiff_t>(Below(node.inputs.size())));
        break;
      default:
        if (!node.attrs.empty())
          Change(&std::next(node.attrs.begin(), static_cast<ptrdiff_t>(Below(node.attrs.size())))->second);
    }
  }

 private:
  size_t Below(size_t n) { return random_() % n; }
  int64_t Number() {
    constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
    constexpr int64_t kNumbers[] = {0, 1, -1, 2, 3, -2, 255, 1000000000, int64_t{1} << 32, -1000000, kMin, kMax};
    return kNumbers[Below(std::size(kNumbers))];
  }
  DType Type() { return static_cast<DType>(Below(26)); }

  void Change(AttrValue* value) {
    if (value->get<int64_t>()) {
      *value = Number();
    } else if (const bool* b = value->get<bool>()) {
      *value = !*b;
    } else if (value->get<DType>()) {
      *value = Type();
    } else if (value->get<std::string>()) {
      constexpr const char* kTexts[] = {"", "NHWC", "NCHW", "SAME", "VALID", "EXPLICIT"};
      *value = kTexts[Below(std::size(kTexts))];
    } else if (value->get<ShapeValue>()) {
      Shape shape;
      for (size_t i = Below(5); i > 0; --i) shape.Append(Number());
      *value = Below(4) == 0 ? Shape::UnknownRank() : shape;
    } else if (const ListValue* list = value->get<ListValue>()) {
      ListValue changed = *list;
      if (!changed.i.empty() && Below(2) == 0) changed.i[Below(changed.i.size())] = Number();
      else if (!changed.i.empty()) changed.i.pop_back();
      else changed.type.push_back(Type());
      *value = changed;
    } else if (const auto* tensor = value->get<std::shared_ptr<const TensorValue>>()) {
      *value = Changed(**tensor);
    }
  }

  TensorValue Changed(TensorValue t) {
    const size_t size = ElementSize(t.dtype);
    if (Below(2) == 0 && size > 0 && t.content.size() >= size) {
      std::string bytes(t.content.view());
      const int64_t number = Number();
      std::memcpy(bytes.data() + Below(bytes.size() / size) * size, &number, std::min(size, sizeof(number)));
      t.content = Bytes(std::move(bytes));
    } else if (Below(2) == 0 && !t.int_val.empty()) {
      t.int_val[Below(t.int_val.size())] = static_cast<int32_t>(Number());
    } else {
      t.shape = Shape();
      for (size_t i = Below(4); i > 0; --i) t.shape.Append(static_cast<int64_t>(Below(4)));
      if (!t.content.empty()) t.content = Bytes(std::string(static_cast<size_t>(*t.shape.NumElements()) * size, '\1'));
    }
    return t;
  }

  std::mt19937_64 random_;
};

TEST_CASE("graphs with something wrong in them are imported or refused, node named") {
  for (const char* name : {"quadratic_fit.pb", "digits_cnn.pb"}) {
    Result<Buffer> file = Buffer::MapFile(std::string(MILLRACE_SOURCE_DIR) + "/samples/data/" + name);
    MR_REQUIRE_OK(file);
    const Result<GraphDef> def =
        ParseGraphDef(Bytes({static_cast<const char*>(file->data()), file->size()}, file->owner()));
    MR_REQUIRE_OK(def);
    {
      Graph whole;
      MR_REQUIRE_OK(whole.Import(*def));
    }
    int refused = 0;
    for (uint64_t seed = 0; seed < 1500; ++seed) {
      GraphDef changed = *def;
      Mutator mutator(seed);
      for (uint64_t i = 0; i <= seed % 3; ++i) mutator.Change(&changed);
      Graph graph;
      const Status s = graph.Import(changed);
      if (s.ok()) continue;
      ++refused;
      INFO(name << ", seed " << seed << ": " << s);
      CHECK_FALSE(s.node().empty());
      CHECK_FALSE(s.message().empty());
      CHECK(s.code() != Code::kInternal);
      CHECK(graph.nodes().empty());
    }
    CHECK(refused > 100);
    CHECK(refused < 1500);
  }
}

}  // namespace
}  // namespace millrace
