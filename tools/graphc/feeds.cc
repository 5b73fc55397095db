#include "millrace/tools/graphc/feeds.h"

#include <map>
#include <random>

#include "millrace/devices/api/buffer.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tools/graphc/options.h"
#include "millrace/tools/graphc/parse.h"

namespace millrace::graphc {
namespace {

template <typename T, typename Draw>
void Fill(Tensor& tensor, const Draw& draw) {
  T* const out = static_cast<T*>(tensor.data());
  for (int64_t i = 0; i < tensor.num_elements(); ++i) out[i] = static_cast<T>(draw());
}

Status FillAny(Tensor& tensor, std::mt19937_64& random, int64_t high) {
  const auto real = [&] { return static_cast<float>(std::uniform_real_distribution<double>(-1, 1)(random)); };
  const auto integer = [&] { return std::uniform_int_distribution<int64_t>(0, high - 1)(random); };
  switch (tensor.dtype()) {
    case DType::kFloat:
      return Fill<float>(tensor, real), OkStatus();
    case DType::kDouble:
      return Fill<double>(tensor, real), OkStatus();
    case DType::kHalf:
      return Fill<Half>(tensor, real), OkStatus();
    case DType::kBfloat16:
      return Fill<BFloat16>(tensor, real), OkStatus();
    case DType::kComplex64:
      return Fill<std::complex<float>>(tensor, real), OkStatus();
    case DType::kComplex128:
      return Fill<std::complex<double>>(tensor, real), OkStatus();
    case DType::kInt8:
    case DType::kUint8:
    case DType::kQint8:
    case DType::kQuint8:
    case DType::kBool:
      return Fill<uint8_t>(tensor, [&] { return integer() % (tensor.dtype() == DType::kBool ? 2 : 128); }), OkStatus();
    case DType::kInt16:
    case DType::kUint16:
      return Fill<int16_t>(tensor, integer), OkStatus();
    case DType::kInt32:
    case DType::kUint32:
    case DType::kQint32:
      return Fill<int32_t>(tensor, integer), OkStatus();
    case DType::kInt64:
    case DType::kUint64:
      return Fill<int64_t>(tensor, integer), OkStatus();
    case DType::kString:
      return OkStatus();  // empty ones
    default:
      return Unimplemented(Cat("numbers of type ", DTypeName(tensor.dtype())));
  }
}

}  // namespace

void FeedArguments::AddTo(CLI::App* command) {
  AddList(command, "--dim", dims, "an open dimension of a feed: x.0=8")->delimiter(',');
  AddList(command, "--shape", shapes, "the whole shape of a feed: x=8,3; repeat it for more");
  command->add_option("--batch", batch, "every other open dimension")->capture_default_str();
  AddList(command, "--high", highs, "integers of a feed are below it (2): ids=1000; repeat it for more");
  command->add_option("--seed", seed, "of the numbers in the feeds")->capture_default_str();
}

Result<std::vector<Tensor>> MakeFeeds(const plan::Plan& plan, const plan::Signature& signature,
                                      const FeedArguments& arguments) {
  MR_ASSIGN_OR_RETURN(const auto dims, ParseDims(arguments.dims));
  std::map<std::string, std::vector<int64_t>> shapes;
  std::map<std::string, int64_t> highs;
  for (const std::string& text : arguments.shapes) {
    MR_ASSIGN_OR_RETURN(const auto named, ParseNumbers(text, "--shape"));
    shapes.insert(named);
  }
  for (const std::string& text : arguments.highs) {
    MR_ASSIGN_OR_RETURN(const auto named, ParseNumbers(text, "--high"));
    if (named.second.size() != 1 || named.second[0] < 1) {
      return InvalidArgument(Cat("--high ", text, ": expected NAME=NUMBER, 1 or more"));
    }
    highs[named.first] = named.second[0];
  }
  if (arguments.batch < 0) return InvalidArgument(Cat("--batch ", arguments.batch, ": expected 0 or more"));

  std::mt19937_64 random(arguments.seed);
  std::vector<Tensor> feeds;
  std::map<std::string, bool> used;
  for (const plan::Feed& feed : signature.feeds) {
    std::vector<int64_t> extents = feed.dims;
    if (const auto given = shapes.find(feed.name); given != shapes.end()) {
      extents = given->second;
      used["--shape " + feed.name] = true;
    } else if (feed.unknown_rank) {
      return InvalidArgument(Cat("feed '", feed.name, "' has no known rank: give --shape ", feed.name, "=..."));
    }
    for (size_t d = 0; d < extents.size(); ++d) {
      if (extents[d] >= 0) continue;
      extents[d] = arguments.batch;
      const uint32_t symbol = d < feed.symbols.size() ? feed.symbols[d] : plan::kNone;
      if (symbol == plan::kNone) continue;
      const std::string& name = plan.symbols[symbol].name;
      if (const auto given = dims.find(name); given != dims.end()) {
        extents[d] = given->second;
        used["--dim " + name] = true;
      }
    }
    Result<Tensor> made = Tensor::New(feed.dtype, Shape(extents), HostAllocator());
    if (!made.ok()) {
      return Status(made.status().code(), Cat("feed '", feed.name, "': ", made.status().message()));
    }
    Tensor tensor = *std::move(made);
    int64_t high = 2;
    if (const auto given = highs.find(feed.name); given != highs.end()) {
      high = given->second;
      used["--high " + feed.name] = true;
    }
    if (const Status filled = FillAny(tensor, random, high); !filled.ok()) {
      return Status(filled.code(), Cat("feed '", feed.name, "': ", filled.message()));
    }
    feeds.push_back(std::move(tensor));
  }
  const auto unused = [&](const std::string& option) {
    return used.contains(option) ? OkStatus() : InvalidArgument(Cat(option, ": no feed has that"));
  };
  for (const auto& [name, value] : dims) MR_RETURN_IF_ERROR(unused("--dim " + name));
  for (const auto& [name, value] : shapes) MR_RETURN_IF_ERROR(unused("--shape " + name));
  for (const auto& [name, value] : highs) MR_RETURN_IF_ERROR(unused("--high " + name));
  return feeds;
}

}  // namespace millrace::graphc
