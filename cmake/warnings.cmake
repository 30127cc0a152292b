# What our own sources and tests are held to, as a target to link privately: no header of others is (their folders are
# SYSTEM ones), and nothing is passed on to who uses the library.
#   -DDERMLET_WERROR=OFF   warnings stay warnings: for packagers, whose compilers may warn of more than those tested
#
# Left out: -Wdouble-promotion (sums of floats are taken in double on purpose) and -Wuseless-cast (a cast that 64 bits
# do not need, the 32 of WebAssembly do). What GCC concludes from code that it optimised differs from version to version
# and has false alarms in std::optional and std::vector: -Wmaybe-uninitialized is off, the others stay warnings.
option(DERMLET_WERROR "Warnings of our own sources are errors" OFF)

set(warning_flags
  -Wall
  -Wextra
  -Wpedantic
  -Wcast-align
  -Wcast-qual
  -Wconversion
  -Wextra-semi
  -Wformat=2
  -Wnon-virtual-dtor
  -Wold-style-cast
  -Woverloaded-virtual
  -Wshadow
  -Wsign-conversion
  -Wundef)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  list(APPEND warning_flags -Wduplicated-branches -Wduplicated-cond -Wlogical-op -Wredundant-decls)
  list(APPEND warning_flags -Wno-maybe-uninitialized)
else()
  list(APPEND warning_flags -Wunreachable-code)
endif()
if(DERMLET_WERROR)
  list(APPEND warning_flags -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    list(APPEND warning_flags -Wno-error=array-bounds -Wno-error=free-nonheap-object -Wno-error=stringop-overflow)
  endif()
endif()

add_library(dermlet_warnings INTERFACE)
target_compile_options(dermlet_warnings INTERFACE ${warning_flags})
