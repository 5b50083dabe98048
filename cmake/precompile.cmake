# heaprake_precompile(TARGET header...): with HEAPRAKE_PCH, for targets of many files.
function(heaprake_precompile target)
  if(HEAPRAKE_PCH)
    target_precompile_headers(${target} PRIVATE ${ARGN})
    # With precompiled headers GCC 12 inlines otherwise, and warns of what cannot happen in std::string.
    target_compile_options(
      ${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-stringop-overflow -Wno-restrict
                        -Wno-array-bounds -Wno-stringop-overread -Wno-maybe-uninitialized>)
  endif()
endfunction()

# The same for every test program below a directory that has at least three files in C++.
function(heaprake_precompile_tests directory)
  get_property(targets DIRECTORY ${directory} PROPERTY BUILDSYSTEM_TARGETS)
  foreach(target ${targets})
    get_target_property(type ${target} TYPE)
    get_target_property(sources ${target} SOURCES)
    list(FILTER sources INCLUDE REGEX "_test\\.cpp$")
    list(LENGTH sources count)
    if(type STREQUAL EXECUTABLE AND count GREATER 2)
      heaprake_precompile(${target} <gtest/gtest.h> <algorithm> <string> <thread> <vector>)
    endif()
  endforeach()
endfunction()

# heaprake_plain(TARGET...): test programs that only judge others. Their own speed does not matter, and
# without optimisation the compiler takes half the time for them.
function(heaprake_plain)
  foreach(target ${ARGN})
    target_compile_options(${target} PRIVATE -O0)
  endforeach()
endfunction()
