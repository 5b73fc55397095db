// Prints the time of a cluster beside that of the same ops one by one, in one
// thread: compare ratios, machines differ.
//   cluster_bench [case]...
#include <algorithm>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/cluster/kinds.h"
#include "millrace/ops/registry/op.h"
#include "millrace/tools/bench/timing.h"

namespace {

using namespace millrace;  // NOLINT: a program
using cluster::Level;

// A kernel with its tensors; runs as often as one likes.
class Node final : public KernelContext {
 public:
  Node(const std::string& op_name, AttrMap attrs, std::vector<Tensor> inputs) : tensors_(std::move(inputs)) {
    const Op& op = *Registry::BuiltIn().Find(op_name);
    std::vector<DType> types, output_types;
    for (const Tensor& t : tensors_) types.push_back(t.dtype());
    for (size_t k = 0; k < op.signature().inputs.size(); ++k) {
      const std::string& attr = op.signature().inputs[k].type_attr;
      if (!attr.empty() && op_name != cluster::kClusterOp) attrs[attr] = types[k];
    }
    Check(CompleteAttrs(op, &attrs));
    Check(ArgumentTypes(op.signature(), attrs, &types, &output_types));
    std::vector<InferenceContext::Input> infos(tensors_.size());
    for (size_t i = 0; i < tensors_.size(); ++i) views_.push_back(tensors_[i].view());
    for (size_t i = 0; i < tensors_.size(); ++i) {
      infos[i].dtype = types[i];
      infos[i].shape = SymShape(tensors_[i].shape());
      infos[i].constant = &views_[i];
    }
    DimTable table;
    InferenceContext inference(attrs, infos, static_cast<int>(output_types.size()), table);
    Check(op.shape_fn()(inference));
    for (size_t o = 0; o < output_types.size(); ++o) {
      results_.push_back(*Tensor::New(output_types[o], inference.outputs()[o].shape.ToShape(), HostAllocator()));
    }
    for (const Tensor& t : results_) result_views_.push_back(t.view());
    const KernelInit init("node", attrs, types, output_types, std::vector<const TensorView*>(types.size()), nullptr);
    Result<std::unique_ptr<Kernel>> made = op.FindKernel("CPU", attrs)->factory(init);
    Check(made.status());
    kernel_ = std::move(*made);
    wanted_all_.assign(results_.size(), 1);
    num_inputs_ = static_cast<int>(views_.size());
    num_outputs_ = static_cast<int>(results_.size());
    inputs_ = views_.data();
    outputs_ = result_views_.data();
    wanted_ = reinterpret_cast<const bool*>(wanted_all_.data());
  }
  void Run() { Check(kernel_->Run(*this)); }
  const Tensor& result() const { return results_[0]; }

  Status AllocateOutput(int, std::span<const int64_t>) override { return OkStatus(); }
  Status SetOutput(int, Tensor) override { return OkStatus(); }
  Result<Resource*> resource(int) override { return Unimplemented("none"); }
  Status SetOutputResource(int, std::shared_ptr<Resource>) override { return Unimplemented("none"); }
  Result<void*> Scratch(size_t bytes) override {
    if (bytes > scratch_.size()) scratch_.resize(bytes);
    return scratch_.data();
  }
  Allocator& allocator() override { return HostAllocator(); }
  void ParallelFor(int64_t total, int64_t block, absl::FunctionRef<void(int64_t, int64_t, int)> body) override {
    for (int64_t i = 0; i < total; i += block) body(i, std::min(total, i + block), 0);
  }
  int workers() const override { return 1; }
  bool cancelled() const override { return false; }

 private:
  static void Check(const Status& status) {
    if (status.ok()) return;
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    std::exit(1);
  }
  std::vector<Tensor> tensors_, results_;
  std::vector<TensorView> views_, result_views_;
  std::vector<char> wanted_all_, scratch_;
  std::unique_ptr<Kernel> kernel_;
};

// A program in the making, of floats.
struct Builder {
  cluster::Program p;
  std::vector<Tensor> inputs;

  int Input(const Shape& shape, Level level = Level::kFull) {
    Tensor t = *Tensor::New(DType::kFloat, shape, HostAllocator());
    uint32_t seed = 1;
    for (float& v : t.elements<float>()) {
      seed = seed * 1664525 + 1013904223;
      v = static_cast<float>(seed >> 8) * 0x1p-23F - 1;
    }
    inputs.push_back(t);
    p.inputs.push_back({DType::kFloat, level, true});
    return static_cast<int>(p.inputs.size()) - 1;
  }
  int Scalar(float value) {
    inputs.push_back(Tensor::Scalar(value));
    p.inputs.push_back({DType::kFloat, Level::kOne, true});
    return static_cast<int>(p.inputs.size()) - 1;
  }
  int Add(const char* op, std::vector<int> operands) {
    Level level = Level::kOne;
    for (const int r : operands) level = std::max(level, p.level(r));
    if (cluster::KindOf(op) == cluster::Kind::kReduce) level = Level::kRow;
    p.instructions.push_back({op, op, DType::kFloat, level, std::move(operands), 0, false});
    return p.num_registers() - 1;
  }
  void Output(int reg) { p.outputs.push_back({reg, true}); }
};

std::vector<Node*> Separate(const Builder& b) {
  std::vector<Tensor> registers = b.inputs;
  std::vector<Node*> nodes;
  for (const cluster::Instruction& i : b.p.instructions) {
    std::vector<Tensor> inputs;
    AttrMap attrs;
    for (const int r : i.operands) inputs.push_back(registers[static_cast<size_t>(r)]);
    if (cluster::KindOf(i.op) == cluster::Kind::kReduce) {
      std::vector<int32_t> axes;
      const int rank = inputs[0].shape().rank(), first = rank - b.p.row_rank;
      if (i.level == Level::kColumn) {
        for (int d = 0; d < first; ++d) axes.push_back(d);
      } else {
        for (int d = first; d < rank; ++d) axes.push_back(d);
      }
      inputs.push_back(Tensor::Of<int32_t>({static_cast<int64_t>(axes.size())}, axes));
      attrs["keep_dims"] = true;
    }
    nodes.push_back(new Node(i.op, attrs, inputs));
    registers.push_back(nodes.back()->result());
  }
  return nodes;
}

void Measure(const std::string& name, const Builder& b) {
  const std::vector<Node*> separate = Separate(b);
  Node fused(std::string(cluster::kClusterOp), cluster::ToAttrs(b.p), b.inputs);
  const auto ops = [&] {
    for (Node* n : separate) n->Run();
  };
  const auto [best_ops, best_one] = bench::Compare(ops, [&] { fused.Run(); });
  const double elements = static_cast<double>(b.inputs[0].num_elements());
  std::printf("%-26s separate %10.2f us   cluster %10.2f us   ratio %5.2f   %6.3f ns an element and op\n", name.c_str(),
              best_ops, best_one, best_ops / best_one,
              best_one * 1000 / elements / static_cast<double>(b.p.instructions.size()));
  for (Node* n : separate) delete n;
}

// (Inputs come before instructions.)
Builder GeluCase(int64_t rows, int64_t columns) {
  Builder b;
  const int x = b.Input({rows, columns}), bias = b.Input({columns}), residual = b.Input({rows, columns});
  const int c0 = b.Scalar(0.044715F), c1 = b.Scalar(0.79788456F), c2 = b.Scalar(1), c3 = b.Scalar(0.5F);
  const int h = b.Add("AddV2", {x, bias});
  const int cube = b.Add("Mul", {b.Add("Mul", {h, h}), h});
  const int inner = b.Add("AddV2", {h, b.Add("Mul", {cube, c0})});
  const int tanh = b.Add("Tanh", {b.Add("Mul", {inner, c1})});
  const int gelu = b.Add("Mul", {b.Add("Mul", {h, c3}), b.Add("AddV2", {tanh, c2})});
  b.Output(b.Add("AddV2", {gelu, residual}));
  return b;
}

Builder LayerNorm(int64_t rows, int64_t columns) {
  Builder b;
  b.p.row_rank = 1;
  const int x = b.Input({rows, columns}), gamma = b.Input({columns}), beta = b.Input({columns});
  const int eps = b.Scalar(1e-5F);
  const int centred = b.Add("Sub", {x, b.Add("Mean", {x})});
  const int variance = b.Add("Mean", {b.Add("Square", {centred})});
  const int scale = b.Add("Rsqrt", {b.Add("AddV2", {variance, eps})});
  b.Output(b.Add("AddV2", {b.Add("Mul", {b.Add("Mul", {centred, scale}), gamma}), beta}));
  return b;
}

Builder SoftmaxCase(int64_t rows, int64_t columns) {
  Builder b;
  b.p.row_rank = 1;
  const int x = b.Input({rows, columns}), scale = b.Scalar(0.125F);
  b.Output(b.Add("Softmax", {b.Add("Mul", {x, scale})}));
  b.p.instructions.back().level = Level::kFull;
  return b;
}

Builder Loss(int64_t elements) {
  Builder b;
  b.p.row_rank = 1;
  const int x = b.Input({elements}), y = b.Input({elements});
  b.Output(b.Add("Mean", {b.Add("Square", {b.Add("Sub", {x, y})})}));
  return b;
}

// The gradient of Relu, and of the bias before it.
Builder BiasGradient(int64_t rows, int64_t columns) {
  Builder b;
  b.p.row_rank = 1;
  const int x = b.Input({rows, columns}), y = b.Input({rows, columns}), scale = b.Scalar(0.5F);
  const int gradient = b.Add("Mul", {b.Add("ReluGrad", {x, y}), scale});
  b.Output(gradient);
  b.Output(b.Add("Sum", {gradient}));
  b.p.instructions.back().level = Level::kColumn;
  return b;
}

Builder Scalars(int count) {
  Builder b;
  const int x = b.Scalar(0.5F), y = b.Scalar(0.25F);
  int at = x;
  for (int i = 0; i < count; ++i) at = b.Add(i % 2 == 0 ? "Mul" : "AddV2", {at, y});
  b.Output(at);
  return b;
}

Builder Chain(int64_t elements, int count) {
  Builder b;
  const int x = b.Input({elements}), y = b.Scalar(0.25F);
  int at = x;
  for (int i = 0; i < count; ++i) at = b.Add(i % 2 == 0 ? "Mul" : "AddV2", {at, y});
  b.Output(at);
  return b;
}

Builder Broadcast(const Shape& a, const Shape& b_shape) {
  Builder b;
  const int x = b.Input(a), y = b.Input(b_shape);
  b.Output(b.Add("AddV2", {x, y}));
  return b;
}

}  // namespace

int main(int argc, char** argv) {
  const FlushDenormals flush;
  const std::vector<std::pair<std::string, std::function<Builder()>>> cases = {
      {"gelu 4K", [] { return GeluCase(4, 1024); }},
      {"gelu 256K", [] { return GeluCase(256, 1024); }},
      {"gelu 4M", [] { return GeluCase(4096, 1024); }},
      {"layernorm 1024x768", [] { return LayerNorm(1024, 768); }},
      {"layernorm 8192x64", [] { return LayerNorm(8192, 64); }},
      {"layernorm 65536x5", [] { return LayerNorm(65536, 5); }},
      {"layernorm 64x20000", [] { return LayerNorm(64, 20000); }},
      {"softmax 1024x768", [] { return SoftmaxCase(1024, 768); }},
      {"softmax 8192x64", [] { return SoftmaxCase(8192, 64); }},
      {"bias grad 32x10", [] { return BiasGradient(32, 10); }},
      {"bias grad 128x1024", [] { return BiasGradient(128, 1024); }},
      {"bias grad 4096x1024", [] { return BiasGradient(4096, 1024); }},
      {"bias grad 65536x10", [] { return BiasGradient(65536, 10); }},
      {"bias grad 65536x64", [] { return BiasGradient(65536, 64); }},
      {"loss 4K", [] { return Loss(4096); }},
      {"loss 2M", [] { return Loss(2 << 20); }},
      {"scalars 3", [] { return Scalars(3); }},
      {"scalars 500", [] { return Scalars(500); }},
      {"scalars 3000", [] { return Scalars(3000); }},
      {"add [65536,5] [5]", [] { return Broadcast({65536, 5}, {5}); }},
      {"add [65536,5] [65536,1]", [] { return Broadcast({65536, 5}, {65536, 1}); }},
      {"add [8192,24] [24]", [] { return Broadcast({8192, 24}, {24}); }},
      {"add [8192,64] [64]", [] { return Broadcast({8192, 64}, {64}); }},
      {"add [8192,64] [8192,1]", [] { return Broadcast({8192, 64}, {8192, 1}); }},
      {"add [64,100,64] [64,1,64]", [] { return Broadcast({64, 100, 64}, {64, 1, 64}); }},
      {"add [1024,768] [768]", [] { return Broadcast({1024, 768}, {768}); }},
      {"add [8] [8]", [] { return Broadcast({8}, {8}); }},
      {"chain of 3 over 8", [] { return Chain(8, 3); }},
      {"chain of 10 over 1000", [] { return Chain(1000, 10); }},
      {"chain of 10 over 1M", [] { return Chain(1 << 20, 10); }},
  };
  for (const auto& [name, make] : cases) {
    bool wanted = argc < 2;
    for (int i = 1; i < argc; ++i) wanted = wanted || name.find(argv[i]) != std::string::npos;
    if (wanted) Measure(name, make());
  }
  return 0;
}
