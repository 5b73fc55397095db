#include <cstring>

#include "millrace/proto/plan/digest.h"
#include "millrace/proto/plan/layout.h"
#include "millrace/proto/plan/reader.h"
#include "millrace/proto/plan/writer.h"
#include "millrace/tests/proto/sample_plan.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

std::string SampleBytes() { return *plan::Write(SamplePlan()); }

TEST_CASE("a plan with any byte changed is refused") {
  const std::string whole = SampleBytes();
  size_t accepted = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int change : {1, 0x80, 0xff}) {
      std::string damaged = whole;
      damaged[i] = static_cast<char>(damaged[i] ^ change);
      const Result<plan::Plan> read = plan::Read(Bytes(std::move(damaged)));
      if (read.ok()) UNSCOPED_INFO("byte " << i << " changed by " << change);
      accepted += read.ok();
    }
  }
  CHECK(accepted == 0);
}

TEST_CASE("a plan that is cut off or longer than it says is refused") {
  const std::string whole = SampleBytes();
  for (size_t n = 0; n < whole.size(); ++n) {
    const bool ok = plan::Read(Bytes(whole.substr(0, n))).ok();
    if (ok) FAIL("cut to " << n << " bytes");
  }
  CHECK(!plan::Read(Bytes(whole + std::string(64, '\0'))).ok());
}

TEST_CASE("whatever the bytes, a plan that is read without digests can be written again") {
  const std::string whole = SampleBytes();
  size_t accepted = 0;
  for (size_t i = 0; i < whole.size(); ++i) {
    for (int value : {0, 1, 2, 0x7f, 0xff}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(value);
      const Result<plan::Plan> read = plan::Read(Bytes(std::move(changed)), {.check_digests = false});
      if (!read.ok()) continue;
      ++accepted;
      const Status written = StatusOf(plan::Write(*read));
      if (!written.ok()) FAIL("byte " << i << " = " << value << ": " << written.ToString());
    }
  }
  CHECK(accepted > 0);
}

TEST_CASE("errors of a plan's bytes name the section, expected and found") {
  std::string bytes = SampleBytes();
  const auto message = [&](bool digests) {
    const Result<plan::Plan> read = plan::Read(Bytes(bytes), {.check_digests = digests});
    return read.ok() ? std::string("accepted") : read.status().ToString();
  };
  namespace layout = plan::layout;
  const auto entry = [&](uint32_t s) {
    layout::SectionEntry e;
    std::memcpy(&e, bytes.data() + sizeof(layout::Header) + s * sizeof(e), sizeof(e));
    return e;
  };
  const std::string whole = bytes;

  bytes[entry(layout::kSteps).offset] ^= 1;
  CHECK(message(true) == "DATA_LOSS: plan: section steps: the digest differs, the plan is damaged");
  bytes = whole;
  bytes[0] = 'X';
  CHECK(message(true) == "INVALID_ARGUMENT: plan: header: these are not the bytes of a plan (no MRPLAN at the start)");
  bytes = whole;
  bytes[8] = 9;
  CHECK(message(true) ==
        "FAILED_PRECONDITION: plan: header: expected format version 1, found 9; compile the plan again");
  bytes = whole;
  const uint32_t far = 1u << 30;
  std::memcpy(bytes.data() + entry(layout::kDevices).offset, &far, sizeof(far));
  CHECK(message(false).find("section devices: expected a range of section text from ") != std::string::npos);
  bytes = whole;
  std::memcpy(bytes.data() + entry(layout::kBlocks).offset + 12, &far, sizeof(far));
  CHECK(message(false).find("section blocks: expected a range of section numbers from ") != std::string::npos);
}

TEST_CASE("the digest of pieces is the digest of the whole") {
  std::string text(100000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * i >> 3);
  plan::DigestStream stream;
  for (size_t at = 0, n = 1; at < text.size(); at += n, n = n * 2 + 1) stream.Add(std::string_view(text).substr(at, n));
  CHECK(stream.digest() == plan::Digest(text));
  CHECK(plan::Digest("a") != plan::Digest("b"));
}

}  // namespace
}  // namespace millrace
