#include "millrace/devices/api/device.h"

#include "millrace/proto/value/strings.h"

namespace millrace {

std::string Device::name() const { return Cat("/device:", kind(), ":", ordinal()); }

}  // namespace millrace
