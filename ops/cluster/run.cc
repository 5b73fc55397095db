#include "millrace/ops/cluster/run.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "absl/container/inlined_vector.h"
#include "millrace/ops/cluster/frame.h"
#include "millrace/ops/expr/access.h"
#include "millrace/proto/value/strings.h"

namespace millrace::cluster {
namespace {

// What a block's registers, inputs and outputs may take of the first cache.
constexpr int64_t kBlockBytes = 24576;
constexpr int64_t kMinBlock = 256, kMaxBlock = 4096;
// Rows shorter than this are worked on together, with row values repeated.
constexpr int64_t kShortRow = 256;
// Inner dimensions from this length on are not expanded: blocks end with them.
constexpr int64_t kLongRun = 192;
// A row of so many pieces is cut for threads.
constexpr int64_t kManyPieces = 2;
constexpr int64_t kFewRows = 64;

int64_t RoundUp(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

// Places in a frame, aligned to 64 bytes.
class Sizer {
 public:
  size_t Take(int64_t count, int64_t each) {
    const size_t at = bytes_;
    size_t bytes = 0;
    overflow_ = overflow_ || __builtin_mul_overflow(count, each, &bytes) ||
                __builtin_add_overflow(bytes, size_t{63}, &bytes) || __builtin_add_overflow(bytes_, bytes, &bytes_);
    bytes_ &= ~size_t{63};
    return at;
  }
  size_t bytes() const { return bytes_; }
  bool overflow() const { return overflow_; }

 private:
  size_t bytes_ = 0;
  bool overflow_ = false;
};

class Runner {
 public:
  Runner(const Prepared& p, const Space& space, KernelContext& ctx)
      : p_(p),
        program_(p.program),
        ctx_(ctx),
        bound_(p, ctx),
        space_(space),
        rows_(space.rows),
        length_(space.length),
        total_(space.total) {}

  Status Run() {
    if (p_.chooses >= 0 && length_ == 0 && rows_ > 0) {
      return p_.AtInstruction(
          InvalidArgument(Cat("dimension ", space_.rank() - 1, " is empty: there is nothing to choose from")),
          p_.chooses);
    }
    BindInputs();
    BindOutputs();
    ChooseBlocks();
    MR_RETURN_IF_ERROR(TakeMemory());
    BindAccess();
    BindColumns();
    RunAll();
    int step = 0;
    Status status;
    if (failure_.Take(&status, &step)) return p_.At(std::move(status), step);
    if (cancelled_.load(std::memory_order_relaxed)) return Cancelled("the run was cancelled inside a cluster");
    return OkStatus();
  }

 private:
  void BindInputs() {
    inputs_.resize(program_.inputs.size());
    AccessGroup groups[kMaxAccessGroups];
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Input& input = program_.inputs[i];
      const TensorView& view = ctx_.input(static_cast<int>(i));
      InputState& state = inputs_[i];
      state.data = DataOf(input, view);
      state.size = p_.sizes[i];
      const int64_t elements = ElementsOf(input, view);
      if (p_.last_read[i] < 0 || elements == 0) continue;
      const bool full = input.level == Level::kFull;
      const bool one = elements == 1 && !(full && p_.materialise[i] && total_ != 1);
      if (input.level == Level::kOne || (one && (!full || total_ != 1))) {
        state.kind = InputState::Kind::kOne;
        continue;
      }
      if (space_.IsDense(input, view)) {
        state.kind = InputState::Kind::kDense;
        continue;
      }
      state.kind = InputState::Kind::kGeneral;
      state.access.rank = space_.GroupsOf(input, view, groups);
      num_groups_ += state.access.rank;
      state.run = groups[state.access.rank - 1].extent;
      if (full) shortest_run_ = std::min(shortest_run_, state.run);
    }
  }

  // Once there is memory for the groups.
  void BindAccess() {
    AccessGroup* next = reinterpret_cast<AccessGroup*>(memory_ + groups_);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      InputState& state = inputs_[i];
      if (state.kind != InputState::Kind::kGeneral) continue;
      state.access.rank = space_.GroupsOf(program_.inputs[i], ctx_.input(static_cast<int>(i)), next);
      state.access.groups = next;
      state.access.data = state.data;
      state.access.size = state.size;
      state.same_rows = state.access.SameRows();
      next += state.access.rank;
    }
  }

  // Outputs are written where they go, unless nobody wants one, or something reads
  // an input of the same memory after that.
  void BindOutputs() {
    bound_.inputs = inputs_.data();
    bool direct = p_.outputs_differ;
    const auto inputs = program_.inputs.size();
    for (size_t o = 0; o < program_.outputs.size(); ++o) {
      const char* const data = bound_.output(o);
      const int reg = program_.outputs[o].reg;
      if (program_.level(reg) != Level::kFull) continue;
      if (data == nullptr) direct = false;
      const int made = reg - static_cast<int>(inputs);
      for (size_t i = 0; i < inputs && direct; ++i) {
        if (program_.inputs[i].level == Level::kFull && ctx_.input(static_cast<int>(i)).data == data &&
            p_.last_read[i] > made) {
          direct = false;
        }
      }
    }
    bound_.direct = direct;
    bound_.placement = direct ? &p_.direct : &p_.late;
  }

  void ChooseBlocks() {
    FrameLayout& l = bound_.layout;
    int64_t bytes = bound_.placement->local_bytes + bound_.placement->whole_bytes;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const bool full = program_.inputs[i].level == Level::kFull;
      if (full && inputs_[i].kind >= InputState::Kind::kDense) bytes += p_.sizes[i];
    }
    for (const Output& output : program_.outputs) {
      if (program_.level(output.reg) == Level::kFull) bytes += p_.sizes[static_cast<size_t>(output.reg)];
    }
    const int64_t room = std::clamp(kBlockBytes / std::max<int64_t>(bytes, 1) / 128 * 128, kMinBlock, kMaxBlock);
    cut_ = room;
    if (program_.row_rank == 0) {
      l.block = RoundUp(std::clamp<int64_t>(total_, 1, room), 64);
      l.whole = l.block;
      if (shortest_run_ == INT64_MAX) return;
      if (shortest_run_ >= kLongRun) {
        run_ = shortest_run_;
        const int64_t parts = (run_ + room - 1) / room;
        cut_ = std::min(RoundUp((run_ + parts - 1) / parts, 64), room);
        return;
      }
      // The inner dimensions of one input are a product of those of another.
      int64_t unit = 1;
      for (size_t i = 0; i < inputs_.size(); ++i) {
        if (inputs_[i].run <= room && program_.inputs[i].level == Level::kFull) unit = std::max(unit, inputs_[i].run);
      }
      cut_ = room / unit * unit;
      return;
    }
    l.rows = 1;
    const bool row_values = !p_.row_ids.empty() || p_.softmax_functions;
    if (rows_ > 1 && (length_ < kShortRow || (!row_values && length_ <= room / 2))) {
      l.rows = std::clamp<int64_t>(room / std::max<int64_t>(length_, 1), 1, std::min<int64_t>(rows_, room));
    }
    short_ = l.rows * length_ <= room;
    l.whole = RoundUp(std::max<int64_t>(l.rows * length_, 1), 64);
    l.block = short_ ? l.whole : room;
  }

  bool CutsRows() const {
    return program_.row_rank > 0 && length_ >= kManyPieces * reduce::kPiece && rows_ < kFewRows && ctx_.workers() > 1 &&
           p_.column_steps.empty();
  }

  bool FitsOneThread() const {
    if (program_.row_rank == 0) return total_ <= FlatBlock();
    return !CutsRows() && Units() <= BlockFor(UnitCycles());
  }

  Status TakeMemory() {
    FrameLayout& l = bound_.layout;
    Sizer sizer;
    const auto pointer = static_cast<int64_t>(sizeof(char*));
    const auto inputs = static_cast<int64_t>(inputs_.size());
    size_t most_steps = 0, most_arguments = 0;
    for (const Phase& phase : p_.phases) {
      most_steps = std::max(most_steps, phase.row_steps.size());
      for (const StepRange* range : {&phase.row, &phase.full}) {
        most_arguments = std::max(most_arguments, 2 * range->reads.size() + range->writes.size());
      }
    }
    most_arguments = std::max(most_arguments, 2 * p_.one.reads.size() + p_.one.writes.size());
    sizer.Take(1, 64);  // whether it is set up
    l.at = sizer.Take(p_.num_ids, pointer);
    l.tail = sizer.Take(p_.num_ids, pointer);
    l.moves = sizer.Take(p_.num_ids, pointer);
    l.in_place = sizer.Take(p_.num_ids, 1);
    l.cached = sizer.Take(inputs, 2 * pointer);
    l.arguments = sizer.Take(static_cast<int64_t>(most_arguments), pointer);
    l.splats = sizer.Take(inputs, kSplatBytes);
    l.tail_bytes = static_cast<size_t>(RoundUp(p_.max_lanes * static_cast<int64_t>(kMaxElementBytes), 64));
    l.tails = sizer.Take(p_.num_tails, static_cast<int64_t>(l.tail_bytes));
    l.row_room = static_cast<size_t>(RoundUp(l.rows, 64));
    int64_t row_bytes = 0, spread_bytes = 0;
    for (const int32_t id : p_.row_ids) row_bytes += p_.sizes[static_cast<size_t>(id)];
    for (int id = program_.num_registers(); id < p_.num_ids; ++id) spread_bytes += p_.sizes[static_cast<size_t>(id)];
    l.row_values = l.rows > 1 ? sizer.Take(row_bytes, static_cast<int64_t>(l.row_room))
                              : sizer.Take(static_cast<int64_t>(p_.row_ids.size()), kSplatBytes);
    l.states = sizer.Take(static_cast<int64_t>(2 * most_steps), Frame::kStateStride);
    l.local = sizer.Take(bound_.placement->local_bytes, l.block);
    l.spread = sizer.Take(l.rows > 1 ? spread_bytes : 0, l.block);
    for (size_t i = 0; i < inputs_.size(); ++i) {
      InputState& state = inputs_[i];
      if (state.kind != InputState::Kind::kGeneral || program_.inputs[i].level != Level::kFull) continue;
      const bool whole = p_.materialise[i];
      state.expanded = sizer.Take(whole ? std::max(l.whole, l.block) : l.block, static_cast<int64_t>(state.size));
    }
    l.workspace = sizer.Take(p_.softmax_bytes, length_);
    l.whole_rows = sizer.Take(bound_.placement->whole_bytes, l.whole);
    l.bytes = sizer.bytes();

    for (const Prepared::ColumnStep& step : p_.column_steps) {
      // (The sizes of blocks are multiples of one another.)
      unit_rows_ = std::max(unit_rows_, CutOf(step).block_rows);
    }
    // The first frame also has the values that there is one of.
    frames_ = FitsOneThread() ? 1 : std::max<int64_t>(ctx_.workers(), 1);
    Sizer all;
    const size_t first = all.Take(static_cast<int64_t>(frames_), static_cast<int64_t>(l.bytes));
    l.ones = all.Take(static_cast<int64_t>(p_.one_ids.size()), kSplatBytes);
    groups_ = all.Take(num_groups_, static_cast<int64_t>(sizeof(AccessGroup)));
    TakeColumns(all);
    partial_ = all.bytes();
    if (CutsRows()) {
      all.Take(RoundUp(length_, reduce::kPiece) / reduce::kPiece * static_cast<int64_t>(most_steps),
               static_cast<int64_t>(Frame::kStateStride));
    }
    if (sizer.overflow() || all.overflow()) return ResourceExhausted("the workspace of a cluster overflows");
    MR_ASSIGN_OR_RETURN(void* memory, ctx_.Scratch(all.bytes() + 64));
    memory_ = reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(memory) + 63) & ~uintptr_t{63}) + first;
    for (int64_t f = 0; f < frames_; ++f) *FrameMemory(f) = 0;
    return OkStatus();
  }

  char* FrameMemory(int64_t worker) const { return memory_ + static_cast<size_t>(worker) * bound_.layout.bytes; }
  Frame FrameOf(int64_t worker, bool shares_rows = false) {
    char* const at = FrameMemory(worker);
    Frame frame(bound_, at, memory_, shares_rows, failure_);
    if (*at == 0) frame.Init();
    *at = 1;
    return frame;
  }

  void RunAll() {
    Frame main = FrameOf(0);
    main.RunOne();
    if (total_ > 0 || (program_.row_rank > 0 && rows_ > 0)) {
      if (program_.row_rank == 0) RunFlat();
      else if (CutsRows()) RunPieces();
      else RunUnits();
    }
    if (!cancelled_.load(std::memory_order_relaxed)) FinishColumns();
    for (size_t o = 0; o < program_.outputs.size(); ++o) {
      const int reg = program_.outputs[o].reg;
      if (program_.level(reg) != Level::kOne || bound_.output(o) == nullptr) continue;
      CopyElement(main.at(reg), p_.sizes[static_cast<size_t>(reg)], bound_.output(o));
    }
  }

  bool Stopped() {
    if (!cancelled_.load(std::memory_order_relaxed) && ctx_.cancelled())
      cancelled_.store(true, std::memory_order_relaxed);
    return cancelled_.load(std::memory_order_relaxed);
  }

  template <typename F>
  void For(int64_t total, int64_t block, const F& body) {
    if (total <= block) return body(int64_t{0}, total, 0);
    ctx_.ParallelFor(total, block, body);
  }

  // Elements for a thread, whole blocks where inputs are expanded.
  int64_t FlatBlock() const {
    const int64_t unit = run_ > 0 || shortest_run_ == INT64_MAX ? 64 : cut_;
    return RoundUp(BlockFor(p_.full_cycles), unit);
  }

  // No rows: blocks of the space.
  void RunFlat() {
    if (p_.phases.empty()) return;
    const Phase& phase = p_.phases[0];
    For(total_, FlatBlock(), [&](int64_t begin, int64_t end, int worker) {
      if (begin > 0 && Stopped()) return;
      Frame frame = FrameOf(worker);
      int64_t done = 0;
      for (int64_t at = begin; at < end;) {
        int64_t count = std::min(cut_, end - at);
        if (run_ > 0) count = std::min(count, run_ - at % run_);
        frame.RunBlock(phase, at, 0, count);
        frame.StoreBlock(phase, at, count);
        at += count;
        if (++done % 64 == 0 && Stopped()) return;
      }
    });
  }

  // What one thread works on without a break: some rows at a time that are done one
  // after the other, or those that reductions over the rows add up on their own.
  int64_t UnitRows() const { return unit_rows_ > 0 ? unit_rows_ : bound_.layout.rows; }
  int64_t Units() const { return (rows_ + UnitRows() - 1) / UnitRows(); }
  double UnitCycles() const {
    const auto rows = static_cast<double>(std::min(UnitRows(), rows_));
    return rows * static_cast<double>(length_) * p_.full_cycles + 8 * static_cast<double>(p_.steps.size()) + 8 * rows;
  }

  void RunUnits() {
    For(Units(), BlockFor(UnitCycles()), [&](int64_t begin, int64_t end, int worker) {
      Frame frame = FrameOf(worker);
      const int64_t last = std::min(rows_, end * UnitRows());
      int64_t done = 0;
      for (int64_t unit = begin; unit < end; ++unit) {
        const int64_t unit_end = std::min(last, (unit + 1) * UnitRows());
        for (int64_t row = unit * UnitRows(); row < unit_end; row += bound_.layout.rows) {
          if ((row > 0 && done == 0) || done == 64) {
            if (Stopped()) return;
            done = 0;
          }
          ++done;
          RunGroup(frame, row, std::min(bound_.layout.rows, unit_end - row));
        }
      }
    });
  }
  void RunGroup(Frame& frame, int64_t row, int64_t count) {
    frame.LoadRows(row, count);
    for (const Phase& phase : p_.phases) {
      frame.RunRows(phase, row, count, length_);
      if (short_) RunShort(frame, phase, row, count);
      else RunLong(frame, phase, row);
    }
    frame.StoreRows(row, count, row * length_, count * length_);
  }

  // ---- reductions over the rows ----

  struct ColumnState {
    reduce::ColumnCut cut;
    char* partials;
  };
  ColumnState* ColumnStates() const { return reinterpret_cast<ColumnState*>(memory_ + columns_); }
  reduce::ColumnCut CutOf(const Prepared::ColumnStep& step) const {
    return step.reduce->cut(rows_, length_, step.one_as_row);
  }

  void TakeColumns(Sizer& all) {
    columns_ = all.Take(static_cast<int64_t>(p_.column_steps.size()), static_cast<int64_t>(sizeof(ColumnState)));
    partials_ = all.bytes();
    for (const Prepared::ColumnStep& step : p_.column_steps) {
      const reduce::ColumnCut cut = CutOf(step);
      all.Take(cut.blocks, static_cast<int64_t>(cut.partial_bytes));
    }
  }
  void BindColumns() {
    char* at = memory_ + partials_;
    for (size_t k = 0; k < p_.column_steps.size(); ++k) {
      const ColumnState state{CutOf(p_.column_steps[k]), at};
      std::memcpy(ColumnStates() + k, &state, sizeof state);
      at += static_cast<size_t>(state.cut.blocks) * state.cut.partial_bytes;
    }
  }

  void AddColumns(const RowStep& step, int64_t first, const void* x, int64_t count) {
    const ColumnState& state = ColumnStates()[step.column_step];
    step.columns->add(state.cut, state.partials, first, x, count);
  }
  void FinishColumns() {
    for (size_t k = 0; k < p_.column_steps.size(); ++k) {
      const Prepared::ColumnStep& step = p_.column_steps[k];
      const char* made = nullptr;
      for (size_t o = 0; o < program_.outputs.size(); ++o) {
        char* const output = bound_.output(o);
        if (program_.outputs[o].reg != step.out || output == nullptr) continue;
        if (made == nullptr) step.reduce->finish(ColumnStates()[k].cut, ColumnStates()[k].partials, output);
        else std::memcpy(output, made, static_cast<size_t>(length_) * p_.sizes[static_cast<size_t>(step.out)]);
        made = output;
      }
    }
  }

  void RunSoftmax(Frame& frame, const Phase& phase, const RowStep& step, int64_t first, int64_t rows) {
    frame.LoadWhole(phase, first, rows * length_);
    step.softmax->rows(frame.at(step.in), rows, length_, frame.at(step.out), frame.workspace());
  }

  void RunShort(Frame& frame, const Phase& phase, int64_t row, int64_t rows) {
    const int64_t first = row * length_, count = rows * length_;
    frame.RunBlock(phase, first, 0, count);
    for (const RowStep& step : phase.row_steps) {
      if (step.columns != nullptr) {
        AddColumns(step, first, frame.at(step.in), count);
      } else if (step.reduce != nullptr) {
        step.reduce->rows(frame.at(step.in), rows, length_, frame.at(step.out));
        if (bound_.layout.rows == 1) frame.Spread(step);
      } else if (count > 0) {
        RunSoftmax(frame, phase, step, first, rows);
      }
    }
    frame.StoreBlock(phase, first, count);
  }

  // Elements [begin, end) of a row, a piece of it; reductions go to `states`.
  void RunPiece(Frame& frame, const Phase& phase, int64_t row, int64_t begin, int64_t end, char* states) {
    for (int64_t at = begin; at < end; at += cut_) {
      const int64_t count = std::min(cut_, end - at);
      frame.RunBlock(phase, row * length_ + at, at, count);
      size_t k = 0;
      for (const RowStep& step : phase.row_steps) {
        void* const state = states + k++ * Frame::kStateStride;
        if (step.reduce != nullptr) step.reduce->feed(state, at - begin, frame.at(step.in), count, at + count == end);
        if (step.columns != nullptr) AddColumns(step, row * length_ + at, frame.at(step.in), count);
      }
      frame.StoreBlock(phase, row * length_ + at, count);
    }
  }
  void JoinPiece(const Phase& phase, char* total, const char* next) {
    for (size_t k = 0; k < phase.row_steps.size(); ++k) {
      const reduce::RowReducer* const reduce = phase.row_steps[k].reduce;
      if (reduce != nullptr) reduce->join(total + k * Frame::kStateStride, next + k * Frame::kStateStride);
    }
  }
  // The row steps of a phase whose elements are all there.
  void CloseRow(Frame& frame, const Phase& phase, int64_t row, char* states) {
    for (size_t k = 0; k < phase.row_steps.size(); ++k) {
      const RowStep& step = phase.row_steps[k];
      if (step.reduce != nullptr) {
        step.reduce->finish(states + k * Frame::kStateStride, length_, frame.at(step.out));
        frame.Spread(step);
      } else if (step.softmax != nullptr) {
        frame.SetRows(row * length_);
        RunSoftmax(frame, phase, step, row * length_, 1);
      }
    }
  }

  // One long row, piece by piece.
  void RunLong(Frame& frame, const Phase& phase, int64_t row) {
    char* const total = static_cast<char*>(frame.state(0));
    char* const next = static_cast<char*>(frame.state(static_cast<int>(phase.row_steps.size())));
    for (int64_t begin = 0; begin < length_; begin += reduce::kPiece) {
      RunPiece(frame, phase, row, begin, std::min(length_, begin + reduce::kPiece), begin == 0 ? total : next);
      if (begin > 0) JoinPiece(phase, total, next);
      if (begin > 0 && Stopped()) return;
    }
    CloseRow(frame, phase, row, total);
  }

  // Few rows of many pieces: one row after the other, its pieces on all threads.
  void RunPieces() {
    const int64_t pieces = RoundUp(length_, reduce::kPiece) / reduce::kPiece;
    char* const partial = memory_ + partial_;
    Frame main = FrameOf(0, true);
    for (int64_t row = 0; row < rows_; ++row) {
      main.LoadRows(row, 1);
      for (const Phase& phase : p_.phases) {
        main.RunRows(phase, row, 1, length_);
        const size_t stride = phase.row_steps.size() * Frame::kStateStride;
        if (!phase.inputs.empty() || !phase.full.empty() || !phase.row_steps.empty()) {
          ctx_.ParallelFor(pieces, 1, [&](int64_t first, int64_t last, int worker) {
            Frame frame = FrameOf(worker, true);
            for (int64_t p = first; p < last && !Stopped(); ++p) {
              RunPiece(frame, phase, row, p * reduce::kPiece, std::min(length_, (p + 1) * reduce::kPiece),
                       partial + static_cast<size_t>(p) * stride);
            }
          });
        }
        if (Stopped()) return;
        for (int64_t p = 1; p < pieces; ++p) JoinPiece(phase, partial, partial + static_cast<size_t>(p) * stride);
        CloseRow(main, phase, row, partial);
      }
      main.StoreRows(row, 1, row * length_, length_);
    }
  }

  const Prepared& p_;
  const Program& program_;
  KernelContext& ctx_;
  Bound bound_;
  Failure failure_;
  std::atomic<bool> cancelled_ = false;

  const Space& space_;
  const int64_t rows_, length_, total_;
  // (As many as there may be: nothing is allocated in a run.)
  absl::InlinedVector<InputState, kMaxInputs> inputs_;
  int64_t num_groups_ = 0;
  size_t groups_ = 0;  // their place
  // How far full-level general inputs go on in one way.
  int64_t shortest_run_ = INT64_MAX;
  int64_t cut_ = 0;  // elements of a block
  int64_t run_ = 0;  // where blocks end too, or 0
  bool short_ = false;
  int64_t frames_ = 1;
  size_t partial_ = 0;
  int64_t unit_rows_ = 0;              // that reductions over the rows ask for
  size_t columns_ = 0, partials_ = 0;  // places of their states, and of what blocks give
  char* memory_ = nullptr;
};

}  // namespace

Status RunProgram(const Prepared& prepared, const Space& space, KernelContext& ctx) {
  return Runner(prepared, space, ctx).Run();
}

}  // namespace millrace::cluster
