// What the bodies of the generated functions call. Internal to the builder: they
// are many, so nothing here makes code where it is called.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "millrace/ops/builder/build.h"
#include "millrace/ops/builder/call.h"

namespace millrace::builder {

// An attribute by name; its value is somewhere else.
class AttrRef {
 public:
  template <typename T>
  AttrRef(const char* name, const T& value) : name_(name), value_(&value), copy_(&Copy<T>) {}
  const char* name() const { return name_; }
  AttrValue value() const { return copy_(value_); }

 private:
  template <typename T>
  static AttrValue Copy(const void* value);

  const char* name_;
  const void* value_;
  AttrValue (*copy_)(const void*);
};

#define MILLRACE_ATTR_TYPES(X) \
  X(std::string)               \
  X(int64_t)                   \
  X(float)                     \
  X(bool)                      \
  X(DType)                     \
  X(Shape)                     \
  X(Tensor)                    \
  X(FuncValue)                 \
  X(std::vector<std::string>)  \
  X(std::vector<int64_t>)      \
  X(std::vector<float>)        \
  X(std::vector<bool>)         \
  X(std::vector<DType>)        \
  X(std::vector<Shape>)        \
  X(std::vector<Tensor>)       \
  X(std::vector<FuncValue>)
#define MILLRACE_DECLARE(...) \
  template <>                 \
  AttrValue AttrRef::Copy<__VA_ARGS__>(const void* value);
MILLRACE_ATTR_TYPES(MILLRACE_DECLARE)
#undef MILLRACE_DECLARE

// See Call.
Operation Generated(const At& at, const char* op, std::initializer_list<ArgumentRef> arguments,
                    std::initializer_list<AttrRef> attrs);
// The tensor of output argument `index`, where others may be lists.
Output OutputAt(const Operation& operation, int index);

}  // namespace millrace::builder
