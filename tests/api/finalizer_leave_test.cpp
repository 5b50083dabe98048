// Finalizers that are left by an exception or by longjmp.
#include <unwind.h>

#include <csetjmp>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "finalizer_steps.h"

namespace {

sigjmp_buf out;

void leave_by_longjmp(void*, void*) {
  journal += "j";
  siglongjmp(out, 1);
}

STEP size_t collect_and_land() {
  // NOLINTNEXTLINE(cert-err52-cpp): what this is about
  return sigsetjmp(out, 1) ? 99 : gc_collect();
}

// Who leaves by longjmp leaves no lock, and the others run the next time.
TEST_F(Finalizer, MayLeaveByLongjmp) {
  lose_with(leave_by_longjmp, nullptr);
  lose_with(write_name, named("n"));
  wipe_stack();
  EXPECT_EQ(collect_and_land(), 99u);
  testing::internal::CaptureStderr();
  EXPECT_GE(collect(), 1u);
  EXPECT_NE(testing::internal::GetCapturedStderr().find("left by longjmp"), std::string::npos);
  EXPECT_EQ(journal, "jn");
  lose_one();
  EXPECT_GE(collect(), 1u);
}

STEP void lose_with_throwing() {
  Node* volatile p = new Node;
  gc::set_finalizer(p, [](void*) {
    journal += "t";
    throw std::runtime_error("no such luck");
  });
  p = new Node;
  gc::set_finalizer(p, [](void*) { journal += "n"; });
  p = nullptr;
}

// "exceptions that occur during their execution are ignored, and a warning is printed to
// sys.stderr instead."
TEST_F(Finalizer, ExceptionsAreReportedAndIgnored) {
  lose_with_throwing();
  testing::internal::CaptureStderr();
  EXPECT_GE(collect(), 2u);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("no such luck"), std::string::npos) << text;
  EXPECT_EQ(journal, "tn");
  EXPECT_EQ(gc::get_stats().errors_reported, 1u);
}

// The same of functions that gc.h alone knows, which have no handler of their own.
TEST_F(Finalizer, ExceptionsOutOfPlainOnesAreReportedAndIgnored) {
  lose_with(
      [](void*, void*) {
        journal += "t";
        throw std::runtime_error("nobody sees this text");
      },
      nullptr);
  lose_with(write_name, named("n"));
  testing::internal::CaptureStderr();
  EXPECT_GE(collect(), 2u);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("ignored: an exception of type St13runtime_error"), std::string::npos)
      << text;
  EXPECT_EQ(journal, "tn");
  EXPECT_EQ(gc::get_stats().errors_reported, 1u);
  EXPECT_EQ(std::uncaught_exceptions(), 0);
  lose_one();
  EXPECT_GE(collect(), 1u);
}

// Another language's exceptions, which the C++ run time must not be asked about.
struct Foreign {
  uint64_t nothing[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};  // before it, no header
  _Unwind_Exception exception;
};

void* new_foreign(uint64_t kind, _Unwind_Exception_Cleanup_Fn cleanup) {
  auto* foreign = new Foreign;
  foreign->exception.exception_class = kind;
  foreign->exception.exception_cleanup = cleanup;
  return foreign;
}

void raise_foreign(void*, void* foreign) {
  journal += "t";
  _Unwind_RaiseException(&static_cast<Foreign*>(foreign)->exception);
}

TEST_F(Finalizer, ForeignExceptionsAreReportedAndDeleted) {
  lose_with(raise_foreign,
            new_foreign(0x5445535457494445, [](_Unwind_Reason_Code, auto*) { journal += "d"; }));
  lose_with(write_name, named("n"));
  testing::internal::CaptureStderr();
  EXPECT_GE(collect(), 2u);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("ignored: an exception that is not one of C++"), std::string::npos) << text;
  EXPECT_EQ(journal, "tdn");
  EXPECT_EQ(gc::get_stats().errors_reported, 1u);
}

// Within a handler the C++ run time would end the program for a foreign one, and Rust would for
// a panic that is deleted.
TEST_F(Finalizer, RustsPanicsAreReportedAndLeftAlone) {
  lose_with(raise_foreign,
            new_foreign(0x4d4f5a0052555354, [](_Unwind_Reason_Code, auto*) { std::abort(); }));
  testing::internal::CaptureStderr();
  try {
    throw 1;
  } catch (int) {
    EXPECT_GE(collect(), 1u);
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("ignored: a Rust panic"), std::string::npos) << text;
  EXPECT_EQ(journal, "t");
  EXPECT_EQ(gc::get_stats().errors_reported, 1u);
}

// What a finalizer catches itself is nobody else's business.
TEST_F(Finalizer, MayThrowAndCatch) {
  lose_with(
      [](void*, void*) {
        try {
          throw 1;
        } catch (int) {
          journal += "c";
        }
      },
      nullptr);
  EXPECT_GE(collect(), 1u);
  EXPECT_EQ(journal, "c");
  EXPECT_EQ(gc::get_stats().errors_reported, 0u);
}

}  // namespace
