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
[[gnu::weak]] void* __cxa_begin_catch(void*) noexcept;
[[gnu::weak]] void __cxa_end_catch();
[[gnu::weak]] std::type_info* __cxa_current_exception_type() noexcept;
}

namespace heaprake::collector {

namespace {

bool can_stop_exceptions() {
  return &_Unwind_SetGR && &_Unwind_SetIP && &__cxa_begin_catch && &__cxa_end_catch &&
         &__cxa_current_exception_type;
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
[[gnu::used]] void heaprake_end_contained(void* exception, const void* about) {
  __cxa_begin_catch(exception);
  const std::type_info* type = __cxa_current_exception_type();
  char text[200];
  snprintf(text, sizeof text, "an exception of type %.150s", type ? type->name() : "unknown");
  report_error(about, text);
  __cxa_end_catch();
}

}  // extern "C"

}  // namespace heaprake::collector
