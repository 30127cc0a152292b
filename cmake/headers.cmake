# Header-only libraries, never copied into the repository: stb_image (>= 2.30, older ones have memory errors that a
# crafted photo can reach) and tl::expected. Offered as an interface target whose folders hold these headers only: a
# cross compiler must not see the rest of the system's include folder.
add_library(dermlet_headers INTERFACE)

# .cache/stb is where `npm run build` puts one.
find_path(stb_folder stb_image.h
  HINTS "${DERMLET_STB_DIR}" "${CMAKE_SOURCE_DIR}/.cache/stb" /usr/include/stb /usr/local/include/stb
  NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
if(NOT stb_folder)
  message(FATAL_ERROR "stb_image.h not found: pass -DDERMLET_STB_DIR=<folder with stb_image.h 2.30 or newer>")
endif()
file(STRINGS "${stb_folder}/stb_image.h" stb_first LIMIT_COUNT 1)
string(REGEX MATCH "v([0-9]+\\.[0-9]+)" stb_match "${stb_first}")
if(NOT stb_match OR CMAKE_MATCH_1 VERSION_LESS 2.30)
  message(FATAL_ERROR
    "${stb_folder}/stb_image.h is '${stb_first}'; 2.30 or newer is needed: older ones write out of bounds on crafted "
    "pictures")
endif()

find_path(expected_folder tl/expected.hpp PATHS /usr/include /usr/local/include NO_CMAKE_FIND_ROOT_PATH NO_CACHE)
if(NOT expected_folder)
  message(FATAL_ERROR "tl/expected.hpp not found (Debian: libexpected-dev)")
endif()

set(header_folder "${CMAKE_BINARY_DIR}/headers")
configure_file("${stb_folder}/stb_image.h" "${header_folder}/stb_image.h" COPYONLY)
configure_file("${expected_folder}/tl/expected.hpp" "${header_folder}/tl/expected.hpp" COPYONLY)
target_include_directories(dermlet_headers SYSTEM INTERFACE "${header_folder}")
