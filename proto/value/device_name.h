// DeviceName: what NodeDef.device and its relatives say, in every spelling that
// graphs have carried.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "millrace/proto/value/status.h"

namespace millrace {

// A device, or a set of them: each part may be open.
struct DeviceName {
  static constexpr int32_t kAny = -1;

  std::string job;         // "": any
  int32_t replica = kAny;  // of the job
  int32_t task = kAny;     // of the job
  std::string kind;        // "CPU", "GPU", in capitals; "": any
  int32_t ordinal = kAny;  // among the devices of its kind

  // Reads
  //   /job:worker/replica:0/task:1/device:GPU:0   in full, or any of its parts
  //   /gpu:0  /CPU:0  /tpu:*                      the older form of the last part
  //   /device:CPU:*  /device:*:0  /device:CPU     open kinds and numbers
  //   CPU:0  gpu:1  device:CPU:0                  without the first slash
  //   ""                                          anything
  // InvalidArgument shows the string and the place in it: an unknown part, a part
  // given twice, something that is no number, characters that names do not have.
  static Result<DeviceName> Parse(std::string_view text);

  // The form that Parse's first line has, open parts left out; "" where all are.
  std::string ToString() const;

  bool open() const { return *this == DeviceName(); }
  // True where this process can be meant: job "localhost", replica 0, task 0.
  bool local() const;
  // Whether the device `kind`:`ordinal` of this process is among those meant.
  bool Matches(std::string_view device_kind, int32_t device_ordinal) const;
  // This name with what it leaves open taken from `defaults`.
  DeviceName Or(const DeviceName& defaults) const;
  // Whether no device can be meant by both.
  bool Contradicts(const DeviceName& other) const;

  friend bool operator==(const DeviceName&, const DeviceName&) = default;
};

// "/device:CPU:0": the name of a device of this process within it, and with the
// job in front.
std::string LocalDeviceName(std::string_view kind, int32_t ordinal);
std::string FullDeviceName(std::string_view kind, int32_t ordinal);

}  // namespace millrace
