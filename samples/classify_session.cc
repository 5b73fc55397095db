// Classifies images with a frozen network that TensorFlow exported.
//
//   classify_session samples/data/digits_cnn.pb samples/data/digits_images.npy samples/data/digits_labels.npy
#include <cstdio>
#include <memory>

#include "millrace/ops/graph/load.h"
#include "millrace/ops/io/npy.h"
#include "millrace/runtime/session/session.h"

namespace {

using millrace::Status;
using millrace::Tensor;

Status Classify(const char* graph_path, const char* images_path, const char* labels_path) {
  MR_ASSIGN_OR_RETURN(auto graph, millrace::LoadGraph(graph_path));
  MR_ASSIGN_OR_RETURN(auto session, millrace::Session::New(graph));
  MR_ASSIGN_OR_RETURN(const Tensor images, millrace::ReadNpy(images_path));
  MR_ASSIGN_OR_RETURN(const Tensor labels, millrace::ReadNpy(labels_path));

  MR_ASSIGN_OR_RETURN(auto results, session->Run({{"images:0", images}}, {"digit:0", "probabilities:0"}));
  const auto digits = results[0].elements<int64_t>();
  const auto expected = labels.elements<int64_t>();
  size_t right = 0;
  for (size_t i = 0; i < digits.size(); ++i) right += digits[i] == expected[i];
  std::printf("%zu of %zu images right; the first is a %lld with probability %.3f\n", right, digits.size(),
              static_cast<long long>(digits[0]), results[1].elements<float>()[static_cast<size_t>(digits[0])]);
  return millrace::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: classify_session GRAPH IMAGES.npy LABELS.npy\n");
    return 2;
  }
  const Status status = Classify(argv[1], argv[2], argv[3]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
