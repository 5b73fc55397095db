// Small values that hosts make and hand on: lists of shapes, configurations; and
// the lists of kernels.
#include <algorithm>

#include "millrace/proto/codec/attr.h"
#include "millrace/runtime/c_api/internal.h"
#include "millrace/runtime/c_api/wire.h"

namespace {

using millrace::c_api::PutBytes;
using millrace::c_api::PutInt;

TF_Buffer* NewBuffer(const std::string& bytes) { return TF_NewBufferFromString(bytes.data(), bytes.size()); }

void PutKernels(const millrace::Op& op, std::string* list) {
  for (const millrace::KernelDef& kernel : op.kernels()) {
    std::string out;
    PutBytes(&out, 1, op.name());
    PutBytes(&out, 2, kernel.device);
    for (const auto& type : kernel.types) {
      std::string constraint;
      PutBytes(&constraint, 1, type.attr);
      millrace::ListValue types;
      types.type = type.types;
      if (!type.types.empty()) PutBytes(&constraint, 2, millrace::SerializeAttr(types));
      PutBytes(&out, 3, constraint);
    }
    PutBytes(list, 1, out);
  }
}

}  // namespace

extern "C" {

TF_ShapeAndTypeList* TF_NewShapeAndTypeList(int num_shapes) {
  auto* list = new TF_ShapeAndTypeList{std::max(num_shapes, 0), nullptr};
  list->items = new TF_ShapeAndType[static_cast<size_t>(list->num_items)];
  for (int i = 0; i < list->num_items; ++i) list->items[i] = {-1, nullptr, static_cast<TF_DataType>(0)};
  return list;
}
void TF_ShapeAndTypeListSetUnknownShape(TF_ShapeAndTypeList* shape_list, int index) {
  if (index < 0 || index >= shape_list->num_items) return;
  TF_ShapeAndType& item = shape_list->items[index];
  delete[] item.dims;
  item.dims = nullptr;
  item.num_dims = -1;
}
void TF_ShapeAndTypeListSetShape(TF_ShapeAndTypeList* shape_list, int index, const int64_t* dims, int num_dims) {
  if (index < 0 || index >= shape_list->num_items) return;
  TF_ShapeAndTypeListSetUnknownShape(shape_list, index);
  if (num_dims < 0) return;
  TF_ShapeAndType& item = shape_list->items[index];
  item.dims = new int64_t[static_cast<size_t>(num_dims)];
  std::copy(dims, dims + num_dims, item.dims);
  item.num_dims = num_dims;
}
void TF_DeleteShapeAndTypeList(TF_ShapeAndTypeList* shape_list) {
  if (shape_list == nullptr) return;
  for (int i = 0; i < shape_list->num_items; ++i) delete[] shape_list->items[i].dims;
  delete[] shape_list->items;
  delete shape_list;
}

TF_Buffer* TF_CreateConfig(unsigned char enable_xla_compilation, unsigned char gpu_memory_allow_growth,
                           unsigned int num_cpu_devices) {
  std::string bytes, count, options;
  PutBytes(&count, 1, "CPU");
  PutInt(&count, 2, num_cpu_devices);
  PutBytes(&bytes, 1, count);  // device_count
  if (gpu_memory_allow_growth != 0) {
    PutInt(&options, 4, 1);
    PutBytes(&bytes, 6, options);  // gpu_options
  }
  if (enable_xla_compilation != 0) {
    std::string optimizer, graph;
    PutInt(&optimizer, 5, 1);  // global_jit_level: ON_1
    PutBytes(&graph, 3, optimizer);
    PutBytes(&bytes, 10, graph);  // graph_options
  }
  return NewBuffer(bytes);
}

TF_Buffer* TF_GetAllRegisteredKernels(TF_Status* status) {
  std::string bytes;
  for (const millrace::Op* op : millrace::c_api::LoadedOps().ops()) PutKernels(*op, &bytes);
  millrace::c_api::Set(status, millrace::OkStatus());
  return NewBuffer(bytes);
}
TF_Buffer* TF_GetRegisteredKernelsForOp(const char* name, TF_Status* status) {
  std::string bytes;
  const millrace::Op* op = millrace::c_api::LoadedOps().Find(name != nullptr ? name : "");
  if (op != nullptr) PutKernels(*op, &bytes);
  millrace::c_api::Set(status, millrace::OkStatus());
  return NewBuffer(bytes);
}

void TF_InitMain(const char*, int*, char***) {}

}  // extern "C"
