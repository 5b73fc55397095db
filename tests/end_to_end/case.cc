#include "millrace/tests/end_to_end/case.h"

#include <protozero/pbf_reader.hpp>

#include "millrace/proto/codec/graph_def.h"
#include "millrace/proto/codec/tensor.h"
#include "millrace/proto/value/strings.h"

namespace millrace::end_to_end {
namespace {

Bytes Copy(protozero::data_view view) { return Bytes(std::string(view.data(), view.size())); }

Result<NamedTensor> ParseNamedTensor(protozero::pbf_reader message) {
  NamedTensor out;
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        out.name = message.get_string();
        break;
      case 2: {
        const protozero::data_view bytes = message.get_view();
        if (bytes.size() == 0) break;
        MR_ASSIGN_OR_RETURN(TensorValue value, ParseTensor(Copy(bytes)));
        MR_ASSIGN_OR_RETURN(out.value, Tensor::FromValue(value, HostAllocator()));
        break;
      }
      case 3:
        out.none = message.get_bool();
        break;
      case 4:
        out.rtol = message.get_double();
        break;
      case 5:
        out.atol = message.get_double();
        break;
      default:
        message.skip();
    }
  }
  return out;
}

Status Append(protozero::pbf_reader message, std::vector<NamedTensor>* list) {
  MR_ASSIGN_OR_RETURN(NamedTensor tensor, ParseNamedTensor(message));
  list->push_back(std::move(tensor));
  return OkStatus();
}

Result<Case> Parse(std::string_view record) {
  Case c;
  protozero::pbf_reader message(record.data(), record.size());
  while (message.next()) {
    switch (message.tag()) {
      case 1:
        c.name = message.get_string();
        break;
      case 2:
        c.op = message.get_string();
        break;
      case 3:
        c.family = message.get_string();
        break;
      case 4: {
        MR_ASSIGN_OR_RETURN(c.graph, ParseGraphDef(Copy(message.get_view())));
        break;
      }
      case 5:
        MR_RETURN_IF_ERROR(Append(message.get_message(), &c.feeds));
        break;
      case 6:
        c.fetches.push_back(message.get_string());
        break;
      case 7:
        MR_RETURN_IF_ERROR(Append(message.get_message(), &c.expected));
        break;
      case 8:
        c.targets.push_back(message.get_string());
        break;
      case 11:
        c.grad_ys_of.push_back(message.get_string());
        break;
      case 12:
        c.grad_xs.push_back(message.get_string());
        break;
      case 13:
        MR_RETURN_IF_ERROR(Append(message.get_message(), &c.grad_seed));
        break;
      case 14:
        MR_RETURN_IF_ERROR(Append(message.get_message(), &c.grad_expected));
        break;
      case 17:
        c.expect_error = message.get_int32();
        break;
      case 18:
        c.expect_error_phase = message.get_string();
        break;
      case 19:
        MR_RETURN_IF_ERROR(Append(message.get_message(), &c.expected_second_run));
        break;
      default:
        message.skip();
    }
  }
  return c;
}

}  // namespace

Result<Case> ParseCase(std::string_view record) {
  try {
    return Parse(record);
  } catch (const protozero::exception& e) {
    return DataLoss(Cat("malformed case: ", e.what()));
  }
}

}  // namespace millrace::end_to_end
