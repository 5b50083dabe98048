// Mistakes of the past, one small program each. Programs that know nothing of heaprake must do the
// same natively and with it preloaded; the others are linked with it.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <sstream>

#include "heaprake/gc.h"
#include "tests/collector/snapshot_reader.h"
#include "tests/shim/child.h"

namespace heaprake::test {
namespace {

// Collections as often as the allocator lets them start, and how many there were.
constexpr const char* kBusy = "threshold=64k:growth=0:stats=1";

constexpr int kSkipped = 77;  // the kernel does not allow it here

std::string program(const char* name) {
  return std::string(PREFIX) + name;
}

struct Case {
  const char* name;
  std::vector<std::string> command;
  std::string out;
  int exit_code = 0;
  unsigned long least_reclaimed = 5000;  // else the collector has found nothing, or given up
};

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}
std::string name_of(const testing::TestParamInfo<Case>& info) {
  return info.param.name;
}

void expect_end(const Ended& ended, const Case& c) {
  if (ended.exit_code == kSkipped) GTEST_SKIP() << ended.out;
  EXPECT_EQ(ended.signal, 0) << ended.err;
  EXPECT_EQ(ended.exit_code, c.exit_code) << ended.err;
  EXPECT_EQ(ended.out, c.out) << ended.err;
}

class Unmodified : public testing::TestWithParam<Case> {};

TEST_P(Unmodified, RunsNatively) {
  expect_end(run_natively(GetParam().command), GetParam());
}

TEST_P(Unmodified, RunsUnderConstantCollection) {
  Ended ended = run_preloaded(GetParam().command, kBusy);
  expect_end(ended, GetParam());
  if (IsSkipped()) return;
  // Of it and its children.
  unsigned long collections = 0, blocks = 0;
  std::istringstream lines(ended.err);
  for (std::string line; std::getline(lines, line);) {
    unsigned long some = 0, freed = 0;
    if (std::sscanf(line.c_str(), "heaprake: %lu collections, %lu blocks", &some, &freed) != 2)
      continue;
    collections += some;
    blocks += freed;
  }
  EXPECT_GE(collections, 5u) << ended.err;
  EXPECT_GE(blocks, GetParam().least_reclaimed) << ended.err;
}

TEST_P(Unmodified, RunsWithTheDefaults) {
  Ended ended = run_preloaded(GetParam().command);
  expect_end(ended, GetParam());
  if (IsSkipped()) return;
  EXPECT_EQ(ended.err, "");
}

INSTANTIATE_TEST_SUITE_P(
    Programs, Unmodified,
    testing::Values(
        Case{"StackInAFrame", {program("frame_stack")}, "alive\n"},
        Case{"SignalStackInAFrame", {program("frame_altstack")}, "alive\n"},
        Case{"ClosedMapping", {program("hidden_memory"), "closed"}, "alive\n"},
        Case{"SealedSharedMapping", {program("hidden_memory"), "sealed"}, "alive\n"},
        Case{"SecretMemory", {program("hidden_memory"), "secret"}, "alive\n"},
        Case{"AliasOfAMemoryFile", {program("hidden_memory"), "alias"}, "alive\n"},
        Case{"MainEndedByPthreadExit", {program("dead_main"), "pthread_exit"}, "alive\n", 6, 15000},
        Case{"MainEndedByTheKernelsExit", {program("dead_main"), "raw"}, "alive\n", 6, 15000},
        Case{"ForkHandlersThatAllocate", {program("fork_handlers")}, "5 children well\n"},
        // A handler for the child that comes before the library's own.
        Case{"ForkHandlersThatAllocateInTheChild",
             {program("fork_handlers"), "child"},
             "5 children well\n"},
        Case{"ForkHandlersThatFork", {program("fork_handlers"), "fork"}, "5 children well\n"},
        Case{"SignalsThatForkWithinAFork",
             {program("fork_handlers"), "signal"},
             "5 children well\n"},
        Case{"ForeignThreadLocalStorage", {program("foreign_tls")}, "handled\n"},
        Case{"LostBlocksWithoutWriting", {program("lost_protected"), "read"}, "usable\n"},
        Case{"LostBlocksWithoutAccess", {program("lost_protected"), "none"}, "usable\n"},
        Case{"GuardPageInABlock", {program("guarded_block")}, "alive\n"},
        Case{"OwnGsBase", {program("gs_base"), "own"}, "alive\n"},
        Case{"GsBaseOfAThreadThatRuns", {program("gs_base"), "running"}, "alive\n"},
        Case{"GsBaseOfAThreadThatWaits", {program("gs_base"), "waiting"}, "alive\n"},
        Case{"GsBaseAfterFork", {program("gs_base"), "forked"}, "alive\n"},
        Case{"SignalsWhileMainStands", {program("main_stopped")}, "handled\n", 0, 100},
        Case{"SignalsOfMain", {program("main_signals"), "plain"}, "handled\n"},
        Case{"SignalsOfMainOnAStack", {program("main_signals"), "stack"}, "handled\n"},
        Case{"SignalsOfMainWithinAHandler", {program("main_signals"), "within"}, "handled\n"},
        Case{"SignalsOfMainOnce", {program("main_signals"), "once"}, "handled\n"},
        Case{"SignalsOfMainThatNest", {program("main_signals"), "nest"}, "handled\n"},
        Case{"SignalsOfMainQueued", {program("main_signals"), "queue"}, "handled\n"},
        Case{"SignalsOfMainThatJump", {program("main_signals"), "jump"}, "handled\n", 0, 100},
        Case{"DescriptorsUnshared", {program("own_table"), "unshare"}, "alive\n"},
        Case{"DescriptorsUnsharedByARawCall", {program("own_table"), "raw"}, "alive\n"},
        Case{"DescriptorsUnsharedByCloseRange", {program("own_table"), "close_range"}, "alive\n"},
        Case{
            "MessagesThatMayNotBeAskedAbout", {program("filtered_messages"), "asks"}, "received\n"},
        Case{"MinorUserFaults", {program("userfault")}, "alive\n"}),
    name_of);

// A large heap asks for huge pages, unless that ends the program.
TEST(HugePages, AreNotAskedForWhereThatIsForbidden) {
  const Case expected = {"", {program("filtered_advice")}, "survived\n"};
  expect_end(run_natively(expected.command), expected);
  expect_end(run_preloaded(expected.command), expected);
}

// The kernel would fault in all tables of the heap, and count a tebibyte as locked.
TEST(LockedMemory, IsTheProgramsAndWhatIsUsed) {
  const std::vector<std::string> ways = {"current", "both", "fault", "future", "undone", "limit"};
  for (const std::string& way : ways) {
    for (const char* options : {"threshold=64k:growth=0", "mode=hunt", "mode=off"}) {
      Case expected = {"", {program("locked"), way}, "as asked\n"};
      SCOPED_TRACE(way + " " + options);
      expect_end(run_natively(expected.command), expected);
      if (IsSkipped()) break;
      expect_end(run_preloaded(expected.command, options), expected);
    }
  }
}

// What cannot be seen may hold anything.
class Unseen : public testing::TestWithParam<const char*> {};

TEST_P(Unseen, FreesNothing) {
  const bool file = GetParam() == std::string("file");
  const std::vector<std::string> command = {program(file ? "evicted_file" : "unreadable_memory"),
                                            file ? WORK "evicted" : GetParam()};
  for (const Ended& ended : {run_natively(command), run_preloaded(command, kBusy),
                             run_preloaded(command, "threshold=64k:growth=0:poison=1")}) {
    if (ended.exit_code == kSkipped) GTEST_SKIP() << "no file system here that drops pages";
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, "alive\n");
  }
}

INSTANTIATE_TEST_SUITE_P(Memory, Unseen, testing::Values("mapping", "block", "file"),
                         [](const auto& info) { return std::string(info.param); });

class HuntWithoutMain : public testing::TestWithParam<const char*> {};

TEST_P(HuntWithoutMain, CountsWhatIsLost) {
  Ended ended = run_preloaded({program("dead_main"), GetParam(), "hunt"}, "mode=hunt");
  EXPECT_EQ(ended.exit_code, 6) << ended.err;
  EXPECT_EQ(ended.out, "alive\n");
  unsigned long blocks = 0, bytes = 0;
  ASSERT_EQ(
      std::sscanf(ended.err.c_str(), "heaprake: hunt: %lu blocks (%lu bytes)", &blocks, &bytes), 2)
      << ended.err;
  EXPECT_GE(blocks, 9990u);
  EXPECT_LE(blocks, 10010u);
  EXPECT_GE(bytes, blocks * 390);
}

INSTANTIATE_TEST_SUITE_P(Ways, HuntWithoutMain, testing::Values("pthread_exit", "raw"),
                         [](const auto& info) { return std::string(info.param); });

// No automatic collection comes before memory is out.
// A seccomp filter from before the program began, which nobody can look at.
class Filtered : public testing::TestWithParam<const char*> {
 protected:
  static void expect_work(const Ended& ended) {
    if (ended.exit_code == kSkipped) GTEST_SKIP() << "no seccomp filters, or no groups, here";
    EXPECT_EQ(ended.signal, 0) << ended.err;
    EXPECT_EQ(ended.exit_code, 0) << ended.err;
    EXPECT_EQ(ended.out, "worked\n") << ended.err;
  }
  const std::vector<std::string> command_{program("filtered"), GetParam()};
};

TEST_P(Filtered, RunsNatively) {
  expect_work(run_natively(command_));
}

TEST_P(Filtered, RunsWithoutACallThatItDoesNotMakeItself) {
  expect_work(run_preloaded(command_, "threshold=64k:growth=0"));
}

TEST_P(Filtered, SaysThatNothingIsCollected) {
  const Ended ended = run_preloaded(command_, "mode=hunt");
  expect_work(ended);
  EXPECT_NE(ended.err.find("a seccomp filter was there before this program began"),
            std::string::npos)
      << ended.err;
}

// Nothing is collected any more, so that nobody need know what messages carry.
TEST(FilteredMessages, AreLeftAloneWhereNothingIsCollected) {
  const std::vector<std::string> command = {program("filtered_messages"), "stops"};
  expect_end(run_natively(command), {"", command, "received\n"});
  if (IsSkipped()) return;
  const Ended ended = run_preloaded(command, "threshold=64k:growth=0:verbose=1");
  EXPECT_EQ(ended.out, "received\n") << ended.err;
  EXPECT_NE(ended.err.find("no more collections"), std::string::npos) << ended.err;
}

// Nobody answers for a thread that stands still, or that collects while the others do.
TEST(FilteredListener, IsNotAskedByACollection) {
  const Case expected = {"", {program("filtered_listener")}, "answered\n"};
  expect_end(run_natively(expected.command), expected);
  if (IsSkipped()) return;
  expect_end(run_preloaded(expected.command, "threshold=64k:growth=0"), expected);
}

// Every call that fails is survived.
TEST(FilteredWithErrors, TriesToCollectIfTold) {
  const Ended ended =
      run_preloaded({program("filtered"), "errors"}, "threshold=64k:growth=0:filtered=1");
  if (ended.exit_code == kSkipped) GTEST_SKIP() << "no seccomp filters here";
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, "worked\n") << ended.err;
}

INSTANTIATE_TEST_SUITE_P(Filters, Filtered, testing::Values("kill", "errors", "groups", "fork"));

TEST(SmallAddressSpace, IsCollectedBeforeMallocFails) {
  EXPECT_EQ(run_natively({program("small_space")}).out, "no memory\n");
  Case expected = {"", {program("small_space")}, "enough\n"};
  expect_end(run_preloaded(expected.command, "threshold=4g"), expected);
  expect_end(run_preloaded(expected.command), expected);
}

// No thread allocates enough to look whether a collection is due.
TEST(ShortThreads, AreCountedTogether) {
  const Case expected = {"", {program("short_threads")}, "bounded\n"};
  expect_end(run_preloaded(expected.command), expected);
}

TEST(ClearedBlocks, AreClearToTheirEnds) {
  const Case expected = {"", {program("cleared_blocks")}, "clear\n"};
  expect_end(run_preloaded(expected.command), expected);
  expect_end(run_preloaded(expected.command, "pad=0"), expected);
  expect_end(run_preloaded(expected.command, "mode=hunt"), expected);
}

TEST(Oracle, SurvivesFreesDuringItsSweeps) {
  const Ended ended =
      run_preloaded({program("freed_while_swept")}, "mode=oracle:threshold=64k:growth=0:stats=1");
  EXPECT_EQ(ended.signal, 0) << ended.err.substr(0, 2000);
  EXPECT_EQ(ended.out, "survived\n");
  const size_t end = ended.err.rfind(" mistakes\n");
  ASSERT_NE(end, std::string::npos);
  const size_t at = ended.err.rfind("heaprake: oracle: ", end);
  ASSERT_NE(at, std::string::npos);
  unsigned long mistakes = 0;
  ASSERT_EQ(std::sscanf(&ended.err[at], "heaprake: oracle: %lu mistakes", &mistakes), 1);
  EXPECT_GT(mistakes, 0u);
}

// memcheck takes minutes to note a tebibyte.
TEST(Valgrind, ReservesLittle) {
  if (access("/usr/bin/valgrind", X_OK) != 0) GTEST_SKIP() << "no valgrind";
  EXPECT_EQ(run_preloaded({program("reserved")}).out, "much\n");
  for (const char* tool : {"--tool=none", "--tool=memcheck"}) {
    const Ended ended = run_preloaded({"/usr/bin/valgrind", "-q", tool, program("reserved")});
    // That of Debian 12 cannot read what Clang 14 writes for debuggers.
    if (ended.err.find("debuginfo reader") != std::string::npos)
      GTEST_SKIP() << "valgrind cannot read the library";
    EXPECT_EQ(ended.exit_code, 0) << tool << ended.err;
    EXPECT_EQ(ended.out, "little\n") << tool << ended.err;
  }
}

// The threads are known there by other numbers than here.
TEST(OtherProc, IsToldOnce) {
  const Ended native = run_natively({program("other_proc")});
  if (native.exit_code == kSkipped) GTEST_SKIP() << native.out;
  EXPECT_EQ(native.out, "alive\n");
  const Ended ended = run_preloaded({program("other_proc")}, "threshold=64k:growth=0");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out, "alive\n");
  EXPECT_EQ(ended.err,
            "heaprake: collection given up: /proc is not mounted anew in this PID namespace, so "
            "threads cannot be listed\n");
}

// What no default can know.
TEST(TaggedPointers, CountWhereTheTagsAreNamed) {
  const std::vector<std::string> command = {program("tagged")};
  EXPECT_EQ(run_preloaded(command).out, "reclaimed, 0\n");
  EXPECT_EQ(run_preloaded(command, "tags=16").out, "kept, 1\n");
  EXPECT_EQ(run_preloaded(command, "tags=16:verify=1").err, "");
}

// Pointers as some runtimes keep them, told by the libraries that are loaded.
struct Form {
  const char* library;
  const char* name;
  const char* without;  // what the program prints if no such library is loaded
};
class DisguisedPointers : public testing::TestWithParam<Form> {};

TEST_P(DisguisedPointers, CountWhereTheirRuntimeIsLoaded) {
  const Form& form = GetParam();
  const std::string library = std::string(RUNTIMES) + form.library;
  for (const char* options : {"", "verify=1", "markers=2:verify=1"}) {
    const Ended with = run_preloaded({program("disguised"), library, form.name}, options);
    EXPECT_EQ(with.out, "kept, kept\n");
    EXPECT_EQ(with.err, "");
  }
  EXPECT_EQ(run_preloaded({program("disguised"), "-", form.name}).out, form.without);
}

TEST_P(DisguisedPointers, AreCountedWhereTheirRuntimeIsLoaded) {
  const Form& form = GetParam();
  const std::string library = std::string(RUNTIMES) + form.library;
  const std::string found = "1 right, 1 global, 1 block, \n";
  EXPECT_EQ(run_preloaded({program("disguised"), library, form.name, "count"}).out, found);
  EXPECT_NE(run_preloaded({program("disguised"), "-", form.name, "count"}).out, found);
}

// Of the one block that the program asked for with this size.
const ReadBlock* block_of(const ReadSnapshot& snapshot, uint64_t size) {
  for (const ReadBlock& block : snapshot.blocks)
    if (block.requested == size) return &block;
  return nullptr;
}

TEST_P(DisguisedPointers, AreToldInSnapshots) {
  const Form& form = GetParam();
  const std::string file = testing::TempDir() + "disguised-" + form.name;
  const Ended ended =
      run_preloaded({program("disguised"), std::string(RUNTIMES) + form.library, form.name},
                    ("mode=hunt:snapshot_all=1:snapshot=" + file).c_str());
  ASSERT_EQ(ended.out, "kept, kept\n") << ended.err;
  const int fd = open(file.c_str(), O_RDONLY | O_CLOEXEC);
  ASSERT_GE(fd, 0);
  const ReadSnapshot snapshot = read_snapshot(content_of(fd));
  close(fd);
  unlink(file.c_str());
  const ReadBlock *one = block_of(snapshot, 1237), *other = block_of(snapshot, 2239);
  ASSERT_TRUE(one && other);
  EXPECT_TRUE(one->flags & other->flags & HEAPRAKE_BLOCK_REACHABLE);
  ASSERT_EQ(one->edges.size(), 1u);
  EXPECT_EQ(one->edges[0].to, other->address);
  bool held = false;
  for (const ReadRoot& root : snapshot.roots)
    held = held || (root.block == one->address && root.kind == GC_REFERENCE_GLOBAL);
  EXPECT_TRUE(held);
}

INSTANTIATE_TEST_SUITE_P(
    Of, DisguisedPointers,
    testing::Values(Form{"libfontconfig.so", "distance", "kept, reclaimed\n"},
                    Form{"libdb-5.3.so", "itself", "kept, reclaimed\n"},
                    Form{"_ctypes.cpython.so", "digits", "reclaimed, reclaimed\n"},
                    Form{"fiddle.so", "shifted1", "reclaimed, reclaimed\n"},
                    Form{"libracketcs.so", "shifted3", "reclaimed, reclaimed\n"},
                    Form{"libmoar.so", "unaligned", "reclaimed, reclaimed\n"}),
    [](const auto& form) { return std::string(form.param.name); });

// What it keeps may then be distances from where an array was.
TEST(DisguisedPointersOf, AreNotTrustedWhileTheirRuntimeIsAtWork) {
  const auto told = [](const char* library) {
    return run_preloaded({program("disguised"), std::string(RUNTIMES) + library, "moving"}).out;
  };
  EXPECT_EQ(told("libfontconfig.so"), "kept, reclaimed\n");
  EXPECT_EQ(told("fiddle.so"), "reclaimed, reclaimed\n");
}

// Where nothing is known of what its words mean.
TEST(DisguisedPointersOf, ForbidReclaimingWhereTheyCannotBeFollowed) {
  const std::vector<std::string> command = {program("disguised"),
                                            std::string(RUNTIMES) + "libtbb.so.12", "shifted1"};
  EXPECT_EQ(run_preloaded(command).out, "kept, kept\n");
  EXPECT_EQ(run_preloaded(command, "trust=1").out, "reclaimed, reclaimed\n");
}

TEST(DisguisedPointersOf, CountInAProgramThatIsARuntime) {
  EXPECT_EQ(run_preloaded({program("scheme"), "-", "shifted3"}).out, "kept, kept\n");
}

class Linked : public testing::TestWithParam<Case> {};

TEST_P(Linked, RunsLinked) {
  expect_end(run_natively(GetParam().command), GetParam());
}

TEST_P(Linked, RunsLinkedAndPreloaded) {
  expect_end(run_preloaded(GetParam().command, "threshold=0"), GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Programs, Linked,
    testing::Values(
        Case{"GarbageIsNotGivenOut", {program("pending_sweep")}, "never given out\n"},
        Case{"QueuedValuesOfAThreadThatWaits", {program("queued_values")}, "whole\n"},
        Case{"FailedMarks", {program("failed_mark")}, "nothing freed\n"},
        Case{"RequestsInHandlers", {program("handler_request")}, "freed later\n"},
        Case{"SnapshotsDuringCollections", {program("snapshot_requests")}, "all answered\n"},
        Case{"AddedRoots", {program("added_roots")}, "harmless\n"},
        Case{"PagesOfAWideHeap", {program("wide_pages")}, "few pages\n"}),
    name_of);

}  // namespace
}  // namespace heaprake::test
