// Runs a network on memory of the program's own: what is fed is read where it is,
// results are written where the program wants them, and other libraries' tensors come
// and go as DLPack.
//
//   zero_copy samples/data/digits_cnn.pb samples/data/digits_images.npy
#include <cstdio>
#include <memory>
#include <vector>

#include "millrace/devices/api/dlpack.h"
#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/runtime/session/session.h"

namespace {

using millrace::DType;
using millrace::Status;
using millrace::Tensor;
using millrace::TensorView;

constexpr int64_t kPixels = 14 * 14, kDigits = 10, kBatch = 50;

Status Run(const char* graph_path, const char* images_path) {
  MR_ASSIGN_OR_RETURN(const auto graph, millrace::LoadGraph(graph_path));
  MR_ASSIGN_OR_RETURN(const auto session, millrace::Session::New(graph));
  MR_ASSIGN_OR_RETURN(const auto classify, session->Prepare({"images"}, {"probabilities"}));
  MR_ASSIGN_OR_RETURN(const Tensor images, millrace::ReadNpy(images_path));

  // One buffer in, one out, used again for each batch: after the first, a run
  // allocates nothing.
  std::vector<float> in(kBatch * kPixels), out(kBatch * kDigits);
  const int64_t in_dims[] = {kBatch, 14, 14, 1}, out_dims[] = {kBatch, kDigits};
  const std::vector<TensorView> feeds = {{in.data(), DType::kFloat, 4, in_dims, kBatch * kPixels}};
  const std::vector<TensorView> results = {{out.data(), DType::kFloat, 2, out_dims, kBatch * kDigits}};
  double sum = 0;
  const float* next = images.elements<float>().data();
  for (int64_t done = 0; done + kBatch <= images.shape().dim(0); done += kBatch, next += in.size()) {
    in.assign(next, next + in.size());
    MR_RETURN_IF_ERROR(classify->RunInto(feeds, results));
    for (const float p : out) sum += static_cast<double>(p);
  }
  std::printf("probabilities of %lld images add up to %.1f\n", static_cast<long long>(images.shape().dim(0)), sum);

  // As another library hands its tensors over; here the other library is ourselves.
  MR_ASSIGN_OR_RETURN(millrace::dlpack::ManagedTensor* const theirs, millrace::ToDLPack(images));
  MR_ASSIGN_OR_RETURN(const Tensor ours, millrace::FromDLPack(theirs));
  MR_ASSIGN_OR_RETURN(const auto digits, session->Run({{"images", ours}}, {"digit"}));
  MR_ASSIGN_OR_RETURN(millrace::dlpack::ManagedTensor* const given, millrace::ToDLPack(digits[0]));
  std::printf("through DLPack: the same memory, %s; the first digit is a %lld\n",
              ours.data() == images.data() ? "yes" : "no",
              static_cast<long long>(static_cast<const int64_t*>(given->info.data)[0]));
  given->deleter(given);
  return millrace::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: zero_copy GRAPH IMAGES.npy\n");
    return 2;
  }
  const Status status = Run(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
