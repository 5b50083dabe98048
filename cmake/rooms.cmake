# heaprake_room(NAME source...): an object library whose code lives inside the victim process.
# It may not throw, may not need libstdc++, and must keep the thread-local model that needs no call.
add_library(heaprake_flags INTERFACE)
target_include_directories(heaprake_flags INTERFACE ${CMAKE_SOURCE_DIR} ${CMAKE_SOURCE_DIR}/include)
target_compile_options(heaprake_flags INTERFACE -Wall -Wextra $<$<BOOL:${HEAPRAKE_WERROR}>:-Werror>)

add_library(heaprake_victim_flags INTERFACE)
target_link_libraries(heaprake_victim_flags INTERFACE heaprake_flags)
target_compile_options(
  heaprake_victim_flags
  INTERFACE $<$<COMPILE_LANGUAGE:C,CXX>:-fvisibility=hidden -ftls-model=initial-exec -fno-plt
            -fno-stack-protector -fno-omit-frame-pointer>
            $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti -fno-threadsafe-statics
            -fvisibility-inlines-hidden>)

function(heaprake_room name)
  add_library(heaprake_${name} OBJECT ${ARGN})
  target_link_libraries(heaprake_${name} PUBLIC heaprake_victim_flags)
  set_target_properties(heaprake_${name} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  if(HEAPRAKE_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Fat objects: tests and tools that do not know about LTO can link them too.
    target_compile_options(heaprake_${name} PRIVATE $<$<COMPILE_LANGUAGE:C,CXX>:-flto=auto -ffat-lto-objects>)
  endif()
endfunction()
