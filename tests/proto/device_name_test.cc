// Device names: every spelling, and what is no name.
#include "millrace/proto/value/device_name.h"

#include <string>
#include <utility>
#include <vector>

#include "millrace/tests/test.h"

namespace millrace {

TEST_CASE("Every spelling of a device reads as the same name") {
  const std::vector<std::pair<std::string, std::string>> spellings = {
      {"", ""},
      {"/", ""},
      {"/cpu:0", "/device:CPU:0"},
      {"/CPU:0", "/device:CPU:0"},
      {"/device:CPU:0", "/device:CPU:0"},
      {"/device:cpu:0", "/device:CPU:0"},
      {"CPU:0", "/device:CPU:0"},
      {"cpu:0", "/device:CPU:0"},
      {"device:CPU:0", "/device:CPU:0"},
      {"//cpu:0", "/device:CPU:0"},
      {"/cpu:0/", "/device:CPU:0"},
      {"/gpu:0", "/device:GPU:0"},
      {"GPU:1", "/device:GPU:1"},
      {"/tpu:7", "/device:TPU:7"},
      {"/device:XLA_CPU:0", "/device:XLA_CPU:0"},
      {"/device:CPU:*", "/device:CPU:*"},
      {"/device:CPU", "/device:CPU:*"},
      {"/cpu:*", "/device:CPU:*"},
      {"/device:*:0", "/device:*:0"},
      {"/device:*:*", ""},
      {"/job:*/device:CPU:0", "/device:CPU:0"},
      {"/job:localhost/replica:0/task:0/cpu:0", "/job:localhost/replica:0/task:0/device:CPU:0"},
      {"/job:localhost/replica:0/task:0/device:CPU:0", "/job:localhost/replica:0/task:0/device:CPU:0"},
      {"/job:worker/replica:0/task:1/device:GPU:0", "/job:worker/replica:0/task:1/device:GPU:0"},
      {"/device:GPU:0/job:worker", "/job:worker/device:GPU:0"},
      {"/job:ps/task:*", "/job:ps"},
      {"/task:3", "/task:3"},
      {"/replica:2", "/replica:2"},
  };
  for (const auto& [text, expected] : spellings) {
    INFO(text);
    const Result<DeviceName> name = DeviceName::Parse(text);
    MR_REQUIRE_OK(name);
    CHECK(name->ToString() == expected);
    CHECK(name->open() == expected.empty());
    const Result<DeviceName> again = DeviceName::Parse(name->ToString());
    MR_REQUIRE_OK(again);
    CHECK(*again == *name);
  }
}

TEST_CASE("What is no device name is an error with the string and the place") {
  const std::vector<std::pair<std::string, std::string>> bad = {
      {"garbage", "device 'garbage', at 0: 'garbage' has no value"},
      {"/garbage:0", "at 1: unknown part 'garbage'"},
      {"/job:worker/cpu:x", "at 12: 'x' is no number"},
      {"/cpu:-1", "'-1' is no number"},
      {"/cpu:", "'' is no number"},
      {"/cpu:0x1", "'0x1' is no number"},
      {"/device:CPU:99999999999999", "'99999999999999' is no number"},
      {"/device:CPU:0:1", "'0:1' is no number"},
      {"/cpu:0/gpu:0", "at 7: the kind is given twice"},
      {"/task:0/task:0", "the task is given twice"},
      {"/job:a/job:a", "the job is given twice"},
      {"/job:a b", "'a b' is no name of a job"},
      {"/job:", "'' is no name of a job"},
      {"/device:C PU:0", "'C PU' is no kind of device"},
      {"/device::0", "'' is no kind of device"},
      {std::string("/cpu:0\0", 7), "is no number"},
  };
  for (const auto& [text, expected] : bad) {
    INFO(text);
    const Result<DeviceName> name = DeviceName::Parse(text);
    REQUIRE_FALSE(name.ok());
    CHECK(name.status().code() == Code::kInvalidArgument);
    const std::string message(name.status().message());
    INFO(message);
    CHECK(message.find(expected) != std::string::npos);
  }
  // A message does not grow with the string.
  const Result<DeviceName> name = DeviceName::Parse(std::string(100000, 'x'));
  REQUIRE_FALSE(name.ok());
  CHECK(std::string(name.status().message()).size() < 500);
}

TEST_CASE("A partial device name takes the rest from a default") {
  const DeviceName node = *DeviceName::Parse("/gpu:1"), job = *DeviceName::Parse("/job:worker/task:2/cpu:0");
  CHECK(node.Or(job).ToString() == "/job:worker/task:2/device:GPU:1");
  CHECK(DeviceName().Or(job) == job);
  CHECK(job.Or(DeviceName()) == job);
}

TEST_CASE("A device name matches the devices of this process that it leaves open") {
  const auto matches = [](const char* text, const char* kind, int32_t ordinal) {
    return DeviceName::Parse(text)->Matches(kind, ordinal);
  };
  CHECK(matches("", "CPU", 0));
  CHECK(matches("/cpu:*", "CPU", 5));
  CHECK(matches("/job:localhost/replica:0/task:0", "CPU", 1));
  CHECK(matches("/device:*:1", "CPU", 1));
  CHECK_FALSE(matches("/device:*:1", "CPU", 0));
  CHECK_FALSE(matches("/cpu:0", "CPU", 1));
  CHECK_FALSE(matches("/gpu:0", "CPU", 0));
  CHECK_FALSE(matches("/job:worker/cpu:0", "CPU", 0));
  CHECK_FALSE(matches("/task:1/cpu:0", "CPU", 0));
}

TEST_CASE("Device names contradict each other where no device can be both") {
  const auto contradict = [](const char* a, const char* b) {
    return DeviceName::Parse(a)->Contradicts(*DeviceName::Parse(b));
  };
  CHECK(contradict("/cpu:0", "/gpu:0"));
  CHECK(contradict("/cpu:0", "/cpu:1"));
  CHECK(contradict("/job:a", "/job:b/cpu:0"));
  CHECK_FALSE(contradict("/cpu:*", "/cpu:1"));
  CHECK_FALSE(contradict("/job:a", "/cpu:1"));
  CHECK_FALSE(contradict("", "/job:a/cpu:1"));
}

}  // namespace millrace
