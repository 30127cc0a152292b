# The Python module _dermlet_core (nanobind) on the static library. DERMLET_PYTHON names the Python that it is for, in
# which nanobind is installed. In the preset `native` it is linked to the library that the tests are linked to, and is
# built only when it is asked for by name; scikit-build-core asks for it by tools/train/core/pyproject.toml.
if(DERMLET_PYTHON)
  set(Python_EXECUTABLE "${DERMLET_PYTHON}")  # scikit-build-core says it itself
endif()
find_package(Python 3.11 REQUIRED COMPONENTS Interpreter Development.Module)
execute_process(COMMAND "${Python_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_ROOT OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
find_package(nanobind CONFIG REQUIRED)

nanobind_add_module(dermlet_python NB_STATIC PROTECT_STACK NB_SUPPRESS_WARNINGS EXCLUDE_FROM_ALL
  wasm_src/bindings/field_words.cc
  wasm_src/bindings/python/field.cc
  wasm_src/bindings/python/module.cc
  wasm_src/bindings/specs.cc)
target_include_directories(dermlet_python PRIVATE wasm_src/bindings)
target_link_libraries(dermlet_python PRIVATE dermlet dermlet_warnings)
set_target_properties(dermlet_python PROPERTIES
  OUTPUT_NAME _dermlet_core
  LIBRARY_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/python")
# nanobind's own part is built for nothing else.
get_target_property(linked dermlet_python LINK_LIBRARIES)
list(FILTER linked INCLUDE REGEX "^nanobind")
set_target_properties(${linked} PROPERTIES EXCLUDE_FROM_ALL ON)
install(TARGETS dermlet_python LIBRARY DESTINATION . COMPONENT python)
