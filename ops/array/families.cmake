# core.cc: constants, placeholders, identities, shapes of tensors. The rest: one
# file a subject, on the shared engine of strided copies.
millrace_ops_family(array
  array/broadcast_args.cc array/check_numerics.cc array/concat.cc array/copies.cc array/counts.cc array/diagonal.cc array/diagonals.cc array/fill.cc
  array/gather.cc array/gather_rows.cc array/one_hot.cc array/operands.cc array/pack.cc array/pad.cc array/range.cc
  array/reverse.cc array/scatter.cc array/scatter_slices.cc array/segment.cc array/slice.cc array/space.cc
  array/split.cc array/stitch.cc array/strided_copy.cc array/strided_slice.cc array/strided_slice_spec.cc
  array/top_k.cc array/transpose.cc array/unique.cc array/where.cc)
millrace_ops_family(array_core array/core.cc array/reshape.cc)
millrace_ops_gradients(
  array/concat_grad.cc array/copies_grad.cc array/diagonal_grad.cc array/extents.cc array/fill_grad.cc
  array/gather_grad.cc array/reshape_grad.cc array/reverse_grad.cc array/scatter_grad.cc array/segment_grad.cc
  array/slice_grad.cc array/space_grad.cc array/stitch_grad.cc array/top_k_grad.cc)
