// protobuf_test LIBRARY: a process with a protobuf of its own, in which TensorFlow's
// names are registered, loads the library: each does its work, whoever is loaded into
// the names of all. With the environment's TENSORFLOW_LIBRARY the real TensorFlow, which
// carries a third protobuf, is loaded beside them (deep, as it exports that one's names).
#include <cstdio>
#include <cstdlib>

#include "graph.pb.h"
#include "millrace/tests/runtime/guest/library.h"

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const auto* descriptor =
      google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName("tensorflow.GraphDef");
  Library library;
  if (descriptor == nullptr || !LoadLibrary(argv[1], RTLD_NOW | RTLD_GLOBAL, &library)) return 1;
  if (Twice(&library, 21) != 42) return 1;
  if (const char* const file = std::getenv("TENSORFLOW_LIBRARY"); file != nullptr) {
    Library other;
    if (!LoadLibrary(file, RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND, &other)) return 1;
    if (Twice(&other, 4) != 8 || Twice(&library, 5) != 10) return 1;
    std::printf("TensorFlow %s and Millrace %s gave their answers\n", other.TF_Version(), library.TF_Version());
  }

  // What the library wrote, read by the host's classes.
  TF_Status* const status = library.TF_NewStatus();
  TF_Output x, sum;
  TF_Graph* const graph = NewSum(&library, &x, &sum, status);
  TF_Buffer* const buffer = library.TF_NewBuffer();
  library.TF_GraphToGraphDef(graph, buffer, status);
  tensorflow::GraphDef def;
  const bool read = def.ParseFromArray(buffer->data, static_cast<int>(buffer->length));
  const bool well = read && def.node_size() == 2 && def.node(1).op() == "AddV2" && def.node(1).input(1) == "x" &&
                    def.GetDescriptor() == descriptor;
  library.TF_DeleteBuffer(buffer);
  library.TF_DeleteGraph(graph);
  library.TF_DeleteStatus(status);
  dlclose(library.handle);
  google::protobuf::ShutdownProtobufLibrary();
  std::printf(well ? "both work\n" : "the GraphDef was not read\n");
  return well ? 0 : 1;
}
