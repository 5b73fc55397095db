#include "millrace/ops/nn/pooling.h"

#include "millrace/ops/registry/sym_eval.h"
#include "millrace/proto/value/strings.h"

namespace millrace::nn {

PoolShape PoolShapeOf(const WindowAttrs& attrs, std::span<const int64_t> image, std::span<const int64_t> result) {
  PoolShape s;
  s.batch = image[0];
  s.channels = s.image_channels = image[static_cast<size_t>(attrs.channels())];
  if (attrs.nchw) s.batch *= s.channels, s.channels = 1;
  for (int i = 0; i < 2; ++i) {
    s.in[i] = image[static_cast<size_t>(attrs.spatial(i))];
    s.out[i] = result[static_cast<size_t>(attrs.spatial(i))];
    s.window[i] = attrs.window[i];
    s.stride[i] = attrs.stride[i];
    s.pad[i] = PadBefore(attrs, i, s.in[i], s.window[i], s.out[i]);
  }
  return s;
}

Status PooledShape(InferenceContext& ctx, const WindowAttrs& attrs, const SymShape& image, SymShape* out) {
  if (image.has_rank && image.rank() != 4) return InvalidArgument(Cat("expected rank 4, found ", image.rank()));
  const auto at = [&](int i) { return image.has_rank ? image.dims[static_cast<size_t>(i)] : Dim(); };
  Dim extents[2];
  for (int i = 0; i < 2; ++i) {
    MR_RETURN_IF_ERROR(WindowExtent(ctx, attrs, i, at(attrs.spatial(i)), Dim(attrs.window[i]), &extents[i]));
  }
  Dim channels = at(attrs.channels());
  if (attrs.along_depth) {
    if (attrs.depth_window != attrs.depth_stride || attrs.window[0] * attrs.window[1] != 1 || attrs.nchw) {
      return Unimplemented(
          "pooling over channels needs NHWC, a window of 1 over height and width, and a stride over "
          "the channels that is the window's");
    }
    if (channels.known() && channels.value() % attrs.depth_window != 0) {
      return Unimplemented(Cat("pooling over channels: expected a multiple of ", attrs.depth_window,
                               " channels, found ", channels.value()));
    }
    channels = ctx.dims().FloorDiv(channels, Dim(attrs.depth_window));
  }
  *out = ImageShape(attrs, at(0), extents[0], extents[1], channels);
  return OkStatus();
}

namespace {

Status SetWindow(const int64_t (&window)[4], const int64_t (&stride)[4], WindowAttrs* attrs) {
  for (int i = 0; i < 4; ++i) {
    if (window[i] < 1 || stride[i] < 1 || window[i] > INT32_MAX || stride[i] > INT32_MAX) {
      return InvalidArgument(Cat("expected windows and strides from 1, found ", window[i], " and ", stride[i]));
    }
  }
  if (window[0] != 1 || stride[0] != 1) return Unimplemented("pooling over the batch");
  for (int i = 0; i < 2; ++i) {
    attrs->window[i] = window[attrs->spatial(i)];
    attrs->stride[i] = stride[attrs->spatial(i)];
  }
  attrs->depth_window = window[attrs->channels()];
  attrs->depth_stride = stride[attrs->channels()];
  attrs->along_depth = attrs->depth_window != 1 || attrs->depth_stride != 1;
  return OkStatus();
}

}  // namespace

Status WindowFromElements(InferenceContext& ctx, int first, WindowAttrs* attrs, bool* known) {
  *known = false;
  int64_t values[2][4];
  for (int t = 0; t < 2; ++t) {
    const std::optional<SymTensor> tensor = IntegerElements(ctx, first + t);
    if (!tensor) return OkStatus();
    if (tensor->elements.size() != 4) {
      return InvalidArgument(Cat("expected 4 elements, found ", tensor->elements.size()));
    }
    for (size_t i = 0; i < 4; ++i) {
      if (!tensor->elements[i].known()) return OkStatus();
      values[t][i] = tensor->elements[i].number;
    }
  }
  *known = true;
  return SetWindow(values[0], values[1], attrs);
}

Status WindowFromTensors(const TensorView& window, const TensorView& stride, WindowAttrs* attrs) {
  int64_t values[2][4];
  const TensorView* tensors[2] = {&window, &stride};
  for (int t = 0; t < 2; ++t) {
    if (tensors[t]->num_elements != 4) {
      return InvalidArgument(Cat("expected 4 elements, found ", tensors[t]->num_elements));
    }
    for (size_t i = 0; i < 4; ++i) values[t][i] = tensors[t]->as<int32_t>()[i];
  }
  return SetWindow(values[0], values[1], attrs);
}

Status PoolKernel::Run(KernelContext& ctx) const {
  WindowAttrs attrs = attrs_;
  if (first_operand_ >= 0) {
    MR_RETURN_IF_ERROR(WindowFromTensors(ctx.input(first_operand_), ctx.input(first_operand_ + 1), &attrs));
  }
  fn_(ctx, attrs);
  return OkStatus();
}

Result<std::unique_ptr<Kernel>> NewPoolKernel(const KernelInit& init, DType type, PoolKernel::Fn fn,
                                              int first_operand) {
  WindowAttrs attrs;
  MR_RETURN_IF_ERROR(ReadWindowAttrs(init.attrs(), &attrs));
  if (fn == nullptr) return Unimplemented(Cat("no pooling of ", DTypeName(type)));
  return std::unique_ptr<Kernel>(new PoolKernel(attrs, fn, first_operand));
}

}  // namespace millrace::nn
