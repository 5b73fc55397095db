// Code that is made beside the runs: what is wanted comes, equal clusters share it,
// and closing, forking, ending the process and a missing library do no harm.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "millrace/compiler/api/code.h"
#include "millrace/devices/cpu/float_state.h"
#include "millrace/ops/cluster/code.h"
#include "millrace/proto/value/strings.h"
#include "millrace/tests/test.h"

namespace millrace {
namespace {

namespace fs = std::filesystem;
using cluster::Level;

// A chain of `length` of an op of two floats.
cluster::Program ChainOf(const std::string& op, int length) {
  cluster::Program p;
  p.inputs.push_back({DType::kFloat, Level::kFull, true});
  for (int i = 0; i < length; ++i) {
    p.instructions.push_back({op, op, DType::kFloat, Level::kFull, {p.num_registers() - 1, 0}, 0, false});
  }
  p.outputs.push_back({p.num_registers() - 1, true});
  return cluster::Canonical(p);
}

class User final : public CodeUser {
 public:
  explicit User(cluster::Program program) : program_(std::move(program)) {}
  const cluster::Program& program() const override { return program_; }
  const Registry& registry() const override { return Registry::BuiltIn(); }
  void Use(std::shared_ptr<const CodeStore> code, std::string_view symbol) override {
    code_ = std::move(code);
    symbol_ = symbol;
    floats_ = _mm_getcsr();
    used_ = true;
  }
  // After a while: false where nothing came.
  bool Waits() const {
    for (int i = 0; i < 60000 && !used_; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return used_;
  }
  bool used() const { return used_; }
  // After Waits: also the control register of the thread that gave the code.
  unsigned floats() const { return floats_; }
  const CodeStore* code() const { return code_.get(); }
  CodeStore::Loop loop() const {
    return code_->Find(symbol_, 0, cluster::SegmentDigest(program_, cluster::SegmentsOf(program_)[0]));
  }

 private:
  const cluster::Program program_;
  std::shared_ptr<const CodeStore> code_;
  std::string symbol_;
  unsigned floats_ = 0;
  std::atomic<bool> used_{false};
};

std::shared_ptr<User> Asked(CodeMaker& maker, const std::string& op, int length) {
  auto user = std::make_shared<User>(ChainOf(op, length));
  maker.Want(user);
  return user;
}

int Threads() {
  int n = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator("/proc/self/task")) ++n;
  return n;
}

// Runs a hidden test case of this program, from another folder where `moved`: its
// exit status.
int RunSelf(const char* name, bool moved) {
  char folder[] = "/tmp/millrace_maker_XXXXXX";
  REQUIRE(mkdtemp(folder) != nullptr);
  fs::path program = fs::read_symlink("/proc/self/exe");
  if (moved) {
    fs::copy_file(program, fs::path(folder) / "test");
    program = fs::path(folder) / "test";
  }
  const int status = std::system(Cat("'", program.string(), "' '", name, "' -w NoTests > /dev/null").c_str());
  fs::remove_all(folder);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

TEST_CASE("code that is wanted comes, and equal clusters share it") {
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  const auto first = Asked(*maker, "AddV2", 5), same = Asked(*maker, "AddV2", 5), other = Asked(*maker, "Mul", 5);
  REQUIRE(first->Waits());
  REQUIRE(same->Waits());
  REQUIRE(other->Waits());
  CHECK(first->code() == same->code());
  CHECK(first->code() != other->code());
  CHECK(first->loop().run != nullptr);
  CHECK(other->loop().run != nullptr);
  // x + x + x + x + x + x of one vector.
  float x[16], y[16];
  for (int i = 0; i < 16; ++i) x[i] = static_cast<float>(i);
  const void* const in[] = {x};
  void* const out[] = {y};
  const int64_t steps[] = {first->loop().lanes};
  REQUIRE(first->loop().lanes <= 16);
  first->loop().run(in, steps, out, 1);
  CHECK(y[3] == 18);
  maker->Close();
}

TEST_CASE("a thread is there only while there is something to make, and later wants start another") {
  const int before = Threads();
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  CHECK(Threads() == before);
  for (int i = 1; i < 4; ++i) {
    REQUIRE(Asked(*maker, "Maximum", i)->Waits());
    for (int k = 0; k < 60000 && Threads() > before; ++k) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    CHECK(Threads() == before);
  }
  maker->Close();
}

TEST_CASE("code is made with the floating-point state of compiling, whatever the run has that asked for it") {
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  std::shared_ptr<User> user;
  {
    const FlushDenormals run;
    user = Asked(*maker, "AddV2", 5);
  }
  REQUIRE(user->Waits());
  CHECK((user->floats() & ~0x3fu) == 0x1f80);  // but for the flags that say what has happened
  maker->Close();
}

TEST_CASE("closing while code is made waits for no more than one piece, and nothing comes afterwards") {
  for (int round = 0; round < 5; ++round) {
    const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
    std::vector<std::shared_ptr<User>> users;
    for (int i = 0; i < 400; ++i) users.push_back(Asked(*maker, "Minimum", 100 + i));
    if (round > 0) std::this_thread::sleep_for(std::chrono::milliseconds(3 * round));
    maker->Close();
    std::vector<bool> used;
    for (const auto& user : users) used.push_back(user->used());
    CHECK_FALSE(used.back());  // so many take seconds
    for (const auto& user : users) CHECK(user.use_count() == 1);
    CHECK_FALSE(Asked(*maker, "AddV2", 3)->used());
    for (size_t i = 0; i < users.size(); ++i) CHECK(users[i]->used() == used[i]);
    maker->Close();
  }
}

TEST_CASE("what cannot be compiled, and targets that are not this CPU's, get no code") {
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  cluster::Program integers = ChainOf("FloorDiv", 2);
  integers.inputs[0].type = DType::kInt32;
  for (cluster::Instruction& i : integers.instructions) i.type = DType::kInt32;
  const auto none = std::make_shared<User>(integers);
  maker->Want(none);
  REQUIRE(Asked(*maker, "AddV2", 2)->Waits());
  CHECK_FALSE(none->used());
  maker->Close();
  const int before = Threads();
  const std::shared_ptr<CodeMaker> foreign =
      NewCodeMaker({.codegen = Codegen::kAuto, .targets = {"sve2"}, .cache_dir = {}});
  const auto user = Asked(*foreign, "AddV2", 2);
  CHECK(Threads() == before);
  foreign->Close();
  CHECK_FALSE(user->used());
}

TEST_CASE("a child that was forked while code was made goes on without") {
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  std::vector<std::shared_ptr<User>> users;
  for (int i = 0; i < 20; ++i) users.push_back(Asked(*maker, "Sub", 100 + i));
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);
    maker->Want(users.front());
    maker->Close();
    const std::shared_ptr<CodeMaker> own = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
    own->Want(users.front());
    own->Close();
    _exit(0);
  }
  int state = 0;
  REQUIRE(waitpid(child, &state, 0) == child);
  CHECK(WIFEXITED(state));
  maker->Close();
}

TEST_CASE("in a process of its own: code is still made when main returns", "[.]") {
  const int before = Threads();
  // Never closed, as by a host that forgets its session; where leak checkers see it.
  [[gnu::used]] static std::shared_ptr<CodeMaker>* maker;
  [[gnu::used]] static std::vector<std::shared_ptr<User>>* users;
  maker = new std::shared_ptr(NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}}));
  users = new std::vector<std::shared_ptr<User>>;
  for (int i = 0; i < 200; ++i) users->push_back(Asked(**maker, "Mul", 300 + i));
  CHECK(Threads() == before + 1);
}

TEST_CASE("a process that ends while code is made ends well") {
  for (int i = 0; i < 3; ++i) {
    CHECK(RunSelf("in a process of its own: code is still made when main returns", false) == 0);
  }
}

TEST_CASE("in a process of its own: without the library there is no thread", "[.]") {
  const int before = Threads();
  const std::shared_ptr<CodeMaker> maker = NewCodeMaker({.codegen = Codegen::kAuto, .targets = {}, .cache_dir = {}});
  const auto user = Asked(*maker, "AddV2", 5);
  CHECK(Threads() == before);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK_FALSE(user->used());
  CHECK(user.use_count() == 1);
  maker->Close();
}

TEST_CASE("without the library there is no thread, and a run that asks goes on") {
  CHECK(RunSelf("in a process of its own: without the library there is no thread", true) == 0);
  // Where it is, the same case fails.
  CHECK(RunSelf("in a process of its own: without the library there is no thread", false) != 0);
}

}  // namespace
}  // namespace millrace
