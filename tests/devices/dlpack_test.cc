#include "millrace/devices/api/dlpack.h"

#include <cstddef>

#include "millrace/tests/test.h"

namespace millrace {
namespace {

// The published layout on 64-bit machines.
static_assert(sizeof(dlpack::TensorInfo) == 48 && offsetof(dlpack::TensorInfo, ndim) == 16);
static_assert(offsetof(dlpack::TensorInfo, dtype) == 20 && offsetof(dlpack::TensorInfo, shape) == 24);
static_assert(offsetof(dlpack::TensorInfo, strides) == 32 && offsetof(dlpack::TensorInfo, byte_offset) == 40);
static_assert(sizeof(dlpack::ManagedTensor) == 64 && offsetof(dlpack::ManagedTensor, deleter) == 56);
static_assert(sizeof(dlpack::ManagedTensorVersioned) == 80 && offsetof(dlpack::ManagedTensorVersioned, info) == 32);
static_assert(offsetof(dlpack::ManagedTensorVersioned, flags) == 24);

int deleted = 0;

// A host's matrix of 2 rows and 3 columns, with one number in front of it.
struct Foreign {
  float numbers[7] = {-1, 0, 1, 2, 3, 4, 5};
  int64_t shape[2] = {2, 3};
  int64_t strides[2] = {3, 1};
  dlpack::ManagedTensor managed = {{numbers, {dlpack::kCpu, 0}, 2, {dlpack::kFloat, 32, 1}, shape, nullptr, 4},
                                   nullptr,
                                   [](dlpack::ManagedTensor*) { ++deleted; }};
};

void CheckRefused(Foreign& foreign, Code code, std::string_view part) {
  const Result<Tensor> tensor = FromDLPack(&foreign.managed);
  REQUIRE(!tensor.ok());
  INFO(tensor.status().ToString());
  CHECK(tensor.status().code() == code);
  CHECK(tensor.status().message().find(part) != std::string::npos);
}

}  // namespace

TEST_CASE("a tensor of another library is used where it is and given back once") {
  Foreign foreign;
  deleted = 0;
  {
    Result<Tensor> tensor = FromDLPack(&foreign.managed);
    MR_REQUIRE_OK(tensor);
    CHECK(tensor->data() == foreign.numbers + 1);
    CHECK(tensor->shape() == Shape({2, 3}));
    CHECK(tensor->elements<float>()[5] == 5);
    const Tensor copy = *tensor;
    *tensor = Tensor();
    CHECK(deleted == 0);
    CHECK(copy.elements<float>()[0] == 0);
  }
  CHECK(deleted == 1);
  // Strides that say what is so anyway; nobody who frees it.
  foreign.managed.info.strides = foreign.strides;
  foreign.managed.deleter = nullptr;
  MR_REQUIRE_OK(FromDLPack(&foreign.managed));
  // A scalar, and no elements at all.
  foreign.managed.info.ndim = 0;
  foreign.managed.info.shape = nullptr;
  CHECK(FromDLPack(&foreign.managed)->num_elements() == 1);
  Foreign empty;
  empty.shape[0] = 0;
  empty.managed.info.data = nullptr;
  CHECK(FromDLPack(&empty.managed)->num_elements() == 0);
}

TEST_CASE("what cannot be used without a copy is refused and stays the caller's") {
  deleted = 0;
  const auto refused = [](Code code, std::string_view part, auto change) {
    Foreign foreign;
    change(foreign, foreign.managed.info);
    CheckRefused(foreign, code, part);
  };
  using Info = dlpack::TensorInfo;
  refused(Code::kInvalidArgument, "dimension 1: expected stride 1", [](Foreign& f, Info& i) {
    f.strides[0] = 1;
    f.strides[1] = 2;
    i.strides = f.strides;
  });
  refused(Code::kUnimplemented, "device of type 2", [](Foreign&, Info& i) { i.device.type = dlpack::kCuda; });
  refused(Code::kUnimplemented, "4 lanes", [](Foreign&, Info& i) { i.dtype.lanes = 4; });
  refused(Code::kUnimplemented, "code 3", [](Foreign&, Info& i) { i.dtype.code = dlpack::kOpaque; });
  refused(Code::kUnimplemented, "of 8 bits", [](Foreign&, Info& i) { i.dtype.bits = 8; });
  refused(Code::kInvalidArgument, "found -1", [](Foreign&, Info& i) { i.ndim = -1; });
  refused(Code::kInvalidArgument, "found 255", [](Foreign&, Info& i) { i.ndim = 255; });
  refused(Code::kInvalidArgument, "no shape", [](Foreign&, Info& i) { i.shape = nullptr; });
  refused(Code::kInvalidArgument, "dimension 0: expected 0 or more, found -2",
          [](Foreign& f, Info&) { f.shape[0] = -2; });
  refused(Code::kInvalidArgument, "fit into memory", [](Foreign& f, Info&) { f.shape[0] = int64_t{1} << 62; });
  refused(Code::kInvalidArgument, "no memory", [](Foreign&, Info& i) { i.data = nullptr; });
  refused(Code::kInvalidArgument, "aligned to 4, found offset 2", [](Foreign&, Info& i) { i.byte_offset = 2; });
  CHECK(FromDLPack(static_cast<dlpack::ManagedTensor*>(nullptr)).status().code() == Code::kInvalidArgument);
  CHECK(deleted == 0);
}

TEST_CASE("a tensor goes out and comes back as the same memory, in every type") {
  for (const DType dtype : {DType::kFloat, DType::kDouble, DType::kHalf, DType::kBfloat16, DType::kInt8, DType::kInt16,
                            DType::kInt32, DType::kInt64, DType::kUint8, DType::kUint16, DType::kUint32, DType::kUint64,
                            DType::kComplex64, DType::kComplex128, DType::kBool}) {
    Result<Tensor> made = Tensor::New(dtype, Shape({3, 1, 2}), HostAllocator());
    MR_REQUIRE_OK(made);
    const void* const data = made->data();
    const Result<dlpack::ManagedTensor*> lent = ToDLPack(*made);
    MR_REQUIRE_OK(lent);
    *made = Tensor();
    CHECK((*lent)->info.data == data);
    CHECK((*lent)->info.shape[2] == 2);
    Result<Tensor> back = FromDLPack(*lent);
    MR_REQUIRE_OK(back);
    CHECK(back->dtype() == dtype);
    CHECK(back->shape() == Shape({3, 1, 2}));
    CHECK(back->data() == data);
  }
  CHECK(ToDLPack(Tensor::Scalar<std::string>("text")).status().code() == Code::kInvalidArgument);
  CHECK(ToDLPack(Tensor()).status().code() == Code::kInvalidArgument);
}

TEST_CASE("the versioned structure says what may be written, and other versions are refused") {
  Tensor tensor = Tensor::Of<float>(Shape({2}), {1, 2});
  Result<dlpack::ManagedTensorVersioned*> lent = ToDLPackVersioned(tensor);
  MR_REQUIRE_OK(lent);
  CHECK((*lent)->version.major == 1);
  CHECK((*lent)->flags == 0);
  // Two hold it now.
  Result<dlpack::ManagedTensorVersioned*> second = ToDLPackVersioned(tensor);
  MR_REQUIRE_OK(second);
  CHECK((*second)->flags == dlpack::kReadOnly);
  (*second)->deleter(*second);
  (*lent)->version.major = 2;
  CHECK(FromDLPack(*lent).status().code() == Code::kUnimplemented);
  (*lent)->version.major = 1;
  const Result<Tensor> back = FromDLPack(*lent);
  MR_REQUIRE_OK(back);
  CHECK(back->data() == tensor.data());
}

}  // namespace millrace
