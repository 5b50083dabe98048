#include "collector/contained_call.h"

#include <unwind.h>

#include <cstdio>
#include <typeinfo>

#include "collector/collector.h"

// Weak: the program's own, if it has thrown an exception; null in a program without. They do not
// make the library need any other.
extern "C" {
[[gnu::weak]] void _Unwind_SetGR(_Unwind_Context*, int, _Unwind_Word);
[[gnu::weak]] void _Unwind_SetIP(_Unwind_Context*, _Unwind_Ptr);
[[gnu::weak]] void _Unwind_DeleteException(_Unwind_Exception*);
[[gnu::weak]] void* __cxa_begin_catch(void*) noexcept;
[[gnu::weak]] void __cxa_end_catch();
[[gnu::weak]] std::type_info* __cxa_current_exception_type() noexcept;
}
// libstdc++ alone has it: which C++ run time there is decides what its exceptions look like.
namespace __gnu_cxx {  // NOLINT(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
[[gnu::weak]] void __verbose_terminate_handler();  // NOLINT(bugprone-reserved-identifier)
}

namespace heaprake::collector {

namespace {

bool can_stop_exceptions() {
  return &_Unwind_SetGR && &_Unwind_SetIP && &_Unwind_DeleteException && &__cxa_begin_catch &&
         &__cxa_end_catch && &__cxa_current_exception_type;
}

// Eight bytes: who threw it, and in which language.
constexpr uint64_t kGnuCpp = 0x474e5543432b2b;       // "GNUCC++", and one that tells more
constexpr uint64_t kLlvmCpp = 0x434c4e47432b2b;      // "CLNGC++", and one that tells more
constexpr uint64_t kRustPanic = 0x4d4f5a0052555354;  // "MOZ\0RUST"

// Whether the C++ run time may be asked about it: it takes for granted what stands in front of it.
bool is_cpp(_Unwind_Exception_Class kind) {
  return kind >> 8 == (&__gnu_cxx::__verbose_terminate_handler ? kGnuCpp : kLlvmCpp);
}

// Another language's, or another run time's.
void drop_foreign(_Unwind_Exception* exception, const void* about) {
  const bool panic = exception->exception_class == kRustPanic;
  report_error(about, panic ? "a Rust panic" : "an exception that is not one of C++");
  // Rust aborts when anybody else does away with a panic.
  if (!panic) _Unwind_DeleteException(exception);
}

}  // namespace

extern "C" {

void heaprake_contained_landing();

// The personality of heaprake_call_contained's frame: the Itanium C++ ABI's protocol.
[[gnu::used]] _Unwind_Reason_Code heaprake_contain(int version, _Unwind_Action actions,
                                                   _Unwind_Exception_Class,
                                                   _Unwind_Exception* exception,
                                                   _Unwind_Context* context) {
  if (version != 1 || (actions & _UA_FORCE_UNWIND) || !can_stop_exceptions())
    return _URC_CONTINUE_UNWIND;
  if (actions & _UA_SEARCH_PHASE) return _URC_HANDLER_FOUND;
  if (!(actions & _UA_HANDLER_FRAME)) return _URC_CONTINUE_UNWIND;
  _Unwind_SetGR(context, __builtin_eh_return_data_regno(0),
                reinterpret_cast<_Unwind_Word>(exception));
  _Unwind_SetIP(context, reinterpret_cast<_Unwind_Ptr>(&heaprake_contained_landing));
  return _URC_INSTALL_CONTEXT;
}

// From the landing.
[[gnu::used]] void heaprake_end_contained(_Unwind_Exception* exception, const void* about) {
  if (!is_cpp(exception->exception_class)) return drop_foreign(exception, about);
  __cxa_begin_catch(exception);
  const std::type_info* type = __cxa_current_exception_type();
  char text[200];
  snprintf(text, sizeof text, "an exception of type %.150s", type ? type->name() : "unknown");
  report_error(about, text);
  __cxa_end_catch();
}

}  // extern "C"

}  // namespace heaprake::collector
