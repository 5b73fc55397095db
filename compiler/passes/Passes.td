// The passes, by phase. `summary` is one line for listings, `description` what
// the pass promises and what it leaves alone. Order and reasons: pipeline/.
#ifndef MILLRACE_COMPILER_PASSES
#define MILLRACE_COMPILER_PASSES

include "mlir/Pass/PassBase.td"

class GraphPass<string name> : Pass<name, "mlir::ModuleOp">;

//===--- infer ---===//

def InferShapes : GraphPass<"infer-shapes"> {
  let summary = "Shapes and integer elements of every value, with symbols of the feeds";
  let description = [{
    Runs the shape function of every op, in order. A dimension that a feed
    leaves open is the symbol `feed.i`; arithmetic on such dimensions, also that
    of small integer tensors (Shape, Pack, StridedSlice ...), is done on
    expressions. Integer elements that become known are kept as the attribute
    `graph.elements` for fold-shapes. What inference does not know stays open:
    its size comes late, at the run. So does that of a variable which an Assign
    of the graph may reshape (`graph.any_shape`).
  }];
}

//===--- differentiate ---===//

def Differentiate : GraphPass<"differentiate"> {
  let summary = "Deferred gradients become the nodes that compute them";
  let description = [{
    Expands `Gradients` (one call of reverse mode that the graph left for later)
    and `SymbolicGradient` (the gradient of a library function; where the library
    names a gradient function for it, a call of that). In the order of the body,
    so that a gradient of a gradient finds the first one expanded; symbolic
    gradients in the bodies of functions follow, 16 deep at most.

    Reverse mode and the gradient functions of the ops are written once, against
    the live graph. What a deferred node depends on is lent to a live graph, node
    for node, with the same attributes and under one table of dimensions; function
    arguments are placeholders there. The engine adds its nodes, those that the
    results need come back through the importer's code, and the deferred node goes.
    A graph with the deferred node therefore computes the same bits as one that was
    expanded when it was built. The lent part is linear in what the deferred nodes
    depend on; nothing is done, or lent, where there are none.

    New operations are named "<deferred node>/<forward node>_grad/...". They wait
    for what the deferred node waited for. A tensor that is fed ends the path: no
    gradient passes to what it would have been made of. An op without a gradient on
    a path is an error that names its node and the path. Shapes are inferred again
    behind this pass. The note `graph.gradient` of operations (the graph's
    _gradient_op_type) says which gradient function they want; it ends here.
  }];
}

//===--- simplify ---===//

def DropControl : GraphPass<"drop-control"> {
  let summary = "Control edges from nodes without effects go";
  let description = [{
    An edge that waits for an operation says something only if that operation,
    or one it needs, writes state or acts on the world outside: a read that no
    write precedes sees the value from before the run, whoever waits for it.
    Other edges are removed.
  }];
}

def FoldShapes : GraphPass<"fold-shapes"> {
  let summary = "Integer tensors whose elements inference knows become constants or dims";
  let description = [{
    An operation without effects, all of whose used results have elements that
    are numbers or expressions over feed dimensions, is replaced: by a constant,
    or by `graph.dims`, which costs no step at the run.
  }];
}

def FoldConstants : GraphPass<"fold-constants"> {
  let summary = "Operations on constants are computed now";
  let description = [{
    An operation without effects whose operands are all constants is computed by
    its own CPU kernel, with denormals flushed as in a run, so that the bits are
    those of the run. A result may be no larger than its operands together, or
    1 MiB, and results that are alive together no larger than 2 GiB. What fails to compute
    stays, and fails in the run if it is reached.
  }];
}

def RefineShapes : GraphPass<"refine-shapes"> {
  let summary = "Inference again, where folding found sizes that were open";
  let description = [{
    A constant that fold-constants computed may say what inference could not: the
    axes of a reduction, the size of a range. Then shapes are inferred again; where
    nothing was learnt, nothing is done.
  }];
}

def FoldGradientAxes : GraphPass<"fold-gradient-axes"> {
  let summary = "Gradients are summed over axes that are known now, or over none";
  let description = [{
    Reshape(Sum(g, axes), shape), where BroadcastGradientArgs gives the axes and its
    operands are numbers and symbols: an axis is summed over where the operand has
    extent 1 and the other has not. A symbol may be 1 in a run, and is in the axes then;
    over one element the sum is that element (-0 and denormals included), so what
    decides is that both operands have the same symbol there, or the other has extent 1,
    and that g has the shape that the two broadcast to. Left alone where a symbol meets
    a number or another symbol, and where the result of Sum is seen by others.
  }];
}

def FoldBatchNorm : GraphPass<"fold-batch-norm"> {
  let summary = "Scales and offsets behind a product go into its weights and a bias";
  let description = [{
    Mul, RealDiv, Add, AddV2, Sub and BiasAdd by constants along the channels, and
    FusedBatchNorm of inference with constant statistics, in a chain behind
    Conv2D, DepthwiseConv2dNative or MatMul with constant weights: the weights
    are scaled, one BiasAdd stays. Only chains that scale are touched. This is
    not exact: products of weights round differently. It is left alone where a number is not finite.
  }];
}

def ExpandBatchNorm : GraphPass<"expand-batch-norm"> {
  let summary = "Batch normalisation of inference becomes element-wise operations";
  let description = [{
    FusedBatchNorm of inference that no product took: the factor of each channel,
    which is a constant where the statistics are, and Sub, Mul and AddV2 in the
    kernel's own order, so the bits stay the same. Clusters take those together
    with what is around them. Left alone: training, statistics that are used, sizes
    that only the run knows, and all of it where there are devices of another kind
    than CPU.
  }];
}

def RemoveIdentities : GraphPass<"remove-identities"> {
  let summary = "Operations that hand on their input go; reshapes become aliases";
  let description = [{
    Identity, StopGradient, PreventGradient, Snapshot and PlaceholderWithDefault
    are replaced by their input. Reshape, Squeeze, ExpandDims and Identity whose
    result shape is known become `graph.alias`: the same elements under other
    dimensions. An operation that waits for others keeps its place.
  }];
}

def SimplifyMoves : GraphPass<"simplify-moves"> {
  let summary = "Copies that move nothing become their input or an alias of it";
  let description = [{
    Slice, StridedSlice, Tile, BroadcastTo, EnsureShape, Pad, ReverseV2, Split and
    AddN whose result is their input are replaced by it; Transpose that only moves
    axes of one element, Pack and Unpack of one, and reductions over axes of one
    element, by `graph.alias`. Sums, products and means of floats compute with that
    element and stay. An alias of an alias is one, and so is a Transpose of a
    Transpose. Concatenations drop parts without elements, and take over those along
    the same axis that only they use. Left alone: sizes that come late, and strings
    where the dimensions change.
  }];
}

def PropagateLayout : GraphPass<"propagate-layout"> {
  let summary = "NCHW becomes NHWC, the layout that kernels work in";
  let description = [{
    Convolutions, their gradients, pooling, BiasAdd and FusedBatchNorm of inference
    with the channels second get them last, between transposes that sink-transposes
    cancels. Their kernels make the same bits in both layouts. Nothing is done in a
    function with fewer than two such operations, or with one whose bits depend on
    the layout: statistics of a batch, BiasAddGrad.
  }];
}

def SinkTransposes : GraphPass<"sink-transposes"> {
  let summary = "Transposes move towards others that undo them";
  let description = [{
    Where a later Transpose would undo it, a Transpose passes elementwise
    operations, AddN, ConcatV2, Pad, Slice, and reductions that keep their axes and
    do not add floats; two that meet go. The other operands are transposed alike,
    constants (fold-constants computes them), or one number. What has no later
    counterpart stays where it is. Linear: one walk back finds where transposes
    are waited for, one forward moves them.
  }];
}

def SimplifyAlgebra : GraphPass<"simplify-algebra"> {
  let summary = "Arithmetic, comparisons, casts and choices that change nothing, or can be cheaper";
  let description = [{
    Every rule keeps the bits of all results; only the payload and the sign of a
    NaN may differ. x * 1, x / 1, x - 0 and x + -0 become x (x + 0 does not: it
    makes 0 of -0). Where x may have denormals, which arithmetic flushes, they do so
    only if all who see the result flush them too. A division by a power of two
    becomes the product with its reciprocal; a + -b a difference; Neg(Neg), Not(Not)
    and a second Abs, Relu, Floor ... go; x * x is Square. Not(a == b) is a != b;
    Not(a < b) is a >= b of integers only, because of NaN. A cast behind one that
    loses nothing takes its operand. Constants in sums and products of integers,
    which wrap, come together. Select by a constant is the branch. Fill, ZerosLike
    and BroadcastTo before an operation that broadcasts by itself are left out.
    Transposes become transpose_a, adj_x ... of a product. Operands that may be
    exchanged come in one order, constants last, so that cse finds more.
    Left alone: what only real numbers have (x - x, x * 0, associativity of floats).
  }];
}

def Cse : GraphPass<"cse"> {
  let summary = "Equal operations without effects are computed once";
  let description = [{
    Two operations of the same op with the same operands, control operands and
    attributes compute the same bits: the first serves both and keeps its name.
    Reads of the same reference that wait for
    the same operations are merged too. Operations with other effects stay.
  }];
}

def Dce : GraphPass<"dce"> {
  let summary = "Operations that nothing needs go";
  let description = [{
    One walk from the end: an operation without effects, or one that only reads
    state, whose results nobody uses is erased.
  }];
}

//===--- place ---===//

def Place : GraphPass<"place"> {
  let summary = "Every operation gets a device that has a kernel for it";
  let description = [{
    Operations that touch one variable are together, whatever signature they are
    in, and so are those that the graph colocates. What is together goes to the
    first device that it asked for and that has all its kernels; where nothing was
    asked for, to the first that has them. Where what was asked for is not there,
    or has no kernel, soft placement takes the first device that has; without it,
    that is an error, which names node, device, reason and the devices there are.
    A variable's own wish comes before that of others; a wish that contradicts an
    earlier one is dropped, or is an error where placement is not soft.

    Operations without a kernel on any device are an error that names all such ops
    at once, with a node of each and the reason: no kernel at all, or none for
    these types. With one device that is all that is done. Constants have no place:
    they are wherever they are used. The number of the device becomes
    `place.device`; the reason, where somebody asks, `place.why`.
  }];
}

def Transfer : GraphPass<"transfer"> {
  let summary = "Values that are needed on another device are copied there, once";
  let description = [{
    A value that is made on one device and used on another gets one `graph.copy`
    for each device that uses it, at its first use there. Feeds come from the host,
    CPU:0, and results go there. So do inputs that a kernel reads, and outputs that
    it writes, in host memory, and strings and other objects. Constants are not
    copied at the run: each device that is no host has them from the start.
    References stay where their variable is. Nothing is done where there is one
    device.
  }];
}

//===--- fuse ---===//

def FusePadding : GraphPass<"fuse-padding"> {
  let summary = "Pad before a VALID convolution becomes its explicit padding";
  let description = [{
    Pad by constant amounts along height and width, before Conv2D or
    DepthwiseConv2dNative with padding VALID and finite constant weights (a
    padded zero times an infinite weight would be NaN), becomes `padding =
    "EXPLICIT"`.
  }];
}

def FusePoolGradients : GraphPass<"fuse-pool-gradients"> {
  let summary = "The gradient of an activation is applied by the gradient of the pooling before it";
  let description = [{
    ReluGrad or Relu6Grad of a MaxPoolGrad that has no other user, by the very image
    that was pooled, becomes `_FusedMaxPoolGrad`, where windows do not overlap. The bits
    stay the same.
  }];
}

def FuseEpilogues : GraphPass<"fuse-epilogues"> {
  let summary = "Bias, residual and activation are applied by the product before them";
  let description = [{
    Conv2D, DepthwiseConv2dNative and MatMul of float or double, then optionally BiasAdd (or
    Add of a vector along the channels), then optionally Add of a tensor of the
    same shape, then optionally Relu, Relu6 or LeakyRelu (of float also Elu,
    Tanh or Sigmoid, where no cluster could take it), each the only user of the
    one before, become `_FusedConv2D`, `_FusedDepthwiseConv2dNative` or
    `_FusedMatMul`, where there is a kernel. The bits stay the same. Narrower
    types are left alone, because they round at every node.
  }];
}

def PushControl : GraphPass<"push-control"> {
  let summary = "What cannot fail lets those wait that use it";
  let description = [{
    An element-wise operation that waits for others, and looks at nothing but its
    operands, may be computed at any time: its users wait instead. So the numbers
    behind an update (the powers of Adam) are free to be fused. An operation whose
    result the signature returns keeps its edges, because they say what is run.
  }];
}

def FuseClusters : GraphPass<"fuse-clusters"> {
  let summary = "Element-wise operations and those over rows become clusters";
  let description = [{
    Element-wise operations (casts, selections and a user's own among them),
    BiasAdd and AddN, reductions of the last axes (ArgMax and ArgMin too),
    Softmax and LogSoftmax that
    compute over one space become one `_Cluster`, whose program the runtime runs
    over blocks that stay in cache; several results may leave it. A space is the
    shape of the full results; what a reduction gives has a value for each of
    its rows. Reductions of the first axes (the gradients of biases) end a
    cluster: what uses their results is in another. Numbers (one element) go
    along with any space. The bits stay the same: a program is made of the ops'
    own bodies. Parts of a value (Split, SplitV, Slice, StridedSlice without steps)
    that only the cluster reads are not copied.

    Left alone: operations with effects, that wait for others or that others
    wait for; sizes that only the run knows; other element types than plain
    ones; an operation that has no neighbour to join. Results that are broadcast ([C] into [N, C]) are
    computed before the cluster that reads them. A group that reads a variable
    from before the run is not joined to one that waits for a write.

    Linear in the operations; the notes `fuse.why` say why an operation stayed
    outside, where a trace is kept.
  }];
}

def FuseUpdates : GraphPass<"fuse-updates"> {
  let summary = "Updates of small variables by one op become one step";
  let description = [{
    Operations with one op and equal attributes that do nothing but write variables
    (ApplyX, ResourceApplyX, AssignSub and the like), whose operands have 1024
    elements or fewer and that do not wait for each other, become one
    `_UpdateMany`, for up to 4096 elements together. It runs the op's own kernel for each, so the bits stay the
    same, and an error names the node. Left alone: variables that something else
    writes too, or that are read behind a write; everything, where it is not known
    which variable is written.
  }];
}

//===--- schedule ---===//

def OrderSteps : GraphPass<"order-steps"> {
  let summary = "The order of steps, reads before writes";
  let description = [{
    Puts the operations into the order in which a single thread runs them and
    notes for each step which earlier steps it must wait for (`plan.after`).
    Reads of a variable that no write precedes see the value from before the
    run: they wait for nothing and come first. Among the operations that are
    ready, the earliest goes first, but a write waits, as long as anything else
    can go, for the users of earlier reads of its variable. Writes that nothing
    orders follow the order of the nodes.
  }];
}

def PlanMemory : GraphPass<"plan-memory"> {
  let summary = "Slots for the results of steps, reused when their values are dead";
  let description = [{
    A result whose size is known from the feeds gets a slot (`plan.slot`); a
    slot that is free again is taken for later results of the same symbolic
    factor, best fit first, else the largest grows. Elementwise operations and
    clusters write over operands of the same shape that die with them, and a
    MaxPoolGrad over the image where its windows do not overlap. Results of the
    signature have slots of their own. Reuse adds to `plan.after`. The sizes are
    the function's `plan.slots`.
  }];
}

#endif
