#include "millrace/ops/nn/window.h"

#include <algorithm>

#include "millrace/proto/value/strings.h"

namespace millrace::nn {
namespace {

// Windows far larger than any image would overflow products of extents.
constexpr int64_t kLargest = int64_t{1} << 31;

Status Four(const AttrMap& attrs, std::string_view name, int64_t batch_value, const std::vector<int64_t>** out) {
  *out = nullptr;
  const auto it = attrs.find(name);
  if (it == attrs.end()) return OkStatus();
  const std::vector<int64_t>& list = it->second.get<ListValue>()->i;
  if (list.size() != 4) return InvalidArgument(Cat("expected 4 numbers in '", name, "', found ", list.size()));
  for (const int64_t v : list) {
    if (v < 1 || v > kLargest) return InvalidArgument(Cat("expected numbers from 1 in '", name, "', found ", v));
  }
  if (list[0] != batch_value) {
    return Unimplemented(Cat("expected ", batch_value, " for the batch in '", name, "', found ", list[0]));
  }
  *out = &list;
  return OkStatus();
}

}  // namespace

Status ReadWindowAttrs(const AttrMap& attrs, WindowAttrs* out) {
  *out = WindowAttrs();
  if (const auto it = attrs.find("data_format"); it != attrs.end()) {
    const std::string& format = *it->second.get<std::string>();
    if (format != "NHWC" && format != "NCHW") {
      return Unimplemented(Cat("expected data_format NHWC or NCHW, found ", format));
    }
    out->nchw = format == "NCHW";
  }
  const std::string& padding = *attrs.find("padding")->second.get<std::string>();
  out->padding = padding == "SAME" ? Padding::kSame : padding == "VALID" ? Padding::kValid : Padding::kExplicit;

  const std::vector<int64_t>* list = nullptr;
  MR_RETURN_IF_ERROR(Four(attrs, "strides", 1, &list));
  if (list != nullptr) {
    for (int i = 0; i < 2; ++i) out->stride[i] = (*list)[static_cast<size_t>(out->spatial(i))];
    out->depth_stride = (*list)[static_cast<size_t>(out->channels())];
  }
  MR_RETURN_IF_ERROR(Four(attrs, "dilations", 1, &list));
  if (list != nullptr) {
    for (int i = 0; i < 2; ++i) out->dilation[i] = (*list)[static_cast<size_t>(out->spatial(i))];
    if ((*list)[static_cast<size_t>(out->channels())] != 1) {
      return Unimplemented("expected 1 for the channels in 'dilations'");
    }
  }
  MR_RETURN_IF_ERROR(Four(attrs, "ksize", 1, &list));
  if (list != nullptr) {
    for (int i = 0; i < 2; ++i) out->window[i] = (*list)[static_cast<size_t>(out->spatial(i))];
    out->depth_window = (*list)[static_cast<size_t>(out->channels())];
  }
  out->along_depth = out->depth_window != 1 || out->depth_stride != 1;

  const auto it = attrs.find("explicit_paddings");
  const std::vector<int64_t> none;
  const std::vector<int64_t>& pads = it == attrs.end() ? none : it->second.get<ListValue>()->i;
  if (out->padding != Padding::kExplicit) {
    if (!pads.empty()) return InvalidArgument(Cat("explicit_paddings with padding ", padding));
    return OkStatus();
  }
  if (pads.size() != 8) return InvalidArgument(Cat("expected 8 numbers in 'explicit_paddings', found ", pads.size()));
  for (size_t i = 0; i < 8; ++i) {
    if (pads[i] < 0 || pads[i] > kLargest) {
      return InvalidArgument(Cat("expected numbers from 0 in 'explicit_paddings', found ", pads[i]));
    }
  }
  for (const int i : {0, out->channels()}) {
    if (pads[static_cast<size_t>(2 * i)] != 0 || pads[static_cast<size_t>(2 * i + 1)] != 0) {
      return InvalidArgument("expected no padding of batch and channels in 'explicit_paddings'");
    }
  }
  for (int i = 0; i < 2; ++i) {
    out->pad_before[i] = pads[static_cast<size_t>(2 * out->spatial(i))];
    out->pad_after[i] = pads[static_cast<size_t>(2 * out->spatial(i) + 1)];
  }
  return OkStatus();
}

Status WindowExtent(InferenceContext& ctx, const WindowAttrs& attrs, int i, Dim in, Dim window, Dim* out) {
  DimTable& table = ctx.dims();
  if (window.known() && window.value() == 0) return InvalidArgument("a window of 0 elements");
  if (attrs.padding == Padding::kSame) {
    *out = table.CeilDiv(in, Dim(attrs.stride[i]));
    return OkStatus();
  }
  if (attrs.padding == Padding::kExplicit) in = table.Add(in, Dim(attrs.pad_before[i] + attrs.pad_after[i]));
  // The first window leaves this many elements.
  const Dim span = table.Mul(table.Sub(window, Dim(1)), Dim(attrs.dilation[i]));
  const bool too_small = in.known() && span.known() && in.value() <= span.value();
  // As in the reference: a graph may not say so, a run that misses by one gets an
  // empty result.
  if (too_small && !(ctx.running() && in == span)) {
    return InvalidArgument(Cat("a window over ", span.value() + 1, " elements does not fit ", in.value()));
  }
  *out = table.CeilDiv(table.Sub(in, span), Dim(attrs.stride[i]));
  return OkStatus();
}

int64_t PadBefore(const WindowAttrs& attrs, int i, int64_t in, int64_t window, int64_t out) {
  if (attrs.padding == Padding::kValid) return 0;
  if (attrs.padding == Padding::kExplicit) return attrs.pad_before[i];
  const int64_t needed = (out - 1) * attrs.stride[i] + (window - 1) * attrs.dilation[i] + 1;
  return std::max<int64_t>(0, needed - in) / 2;
}

SymShape ImageShape(const WindowAttrs& attrs, Dim batch, Dim height, Dim width, Dim channels) {
  if (attrs.nchw) return SymShape({batch, channels, height, width});
  return SymShape({batch, height, width, channels});
}

}  // namespace millrace::nn
