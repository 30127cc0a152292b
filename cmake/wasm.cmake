# The WebAssembly modules, each an ES module of Embind's glue and a binary: dermlet, which every photo needs, and learn,
# which is fetched when a head is trained or cases are looked up.
if(NOT DERMLET_SCALAR)
  # Vectors: every browser with WebAssembly SIMD, which ONNX Runtime Web needs anyway.
  target_compile_options(dermlet PUBLIC -msimd128)
endif()
target_compile_options(dermlet PUBLIC
  -fno-unroll-loops    # an eighth of the whole module, and no slower when measured
  -fno-exceptions      # the core throws nothing
  -fno-rtti)           # and asks nothing of its types
set(module_sources
  wasm_src/bindings/bindings.cc
  wasm_src/bindings/field.cc
  wasm_src/bindings/field_words.cc
  wasm_src/bindings/learn.cc
  wasm_src/bindings/specs.cc
  wasm_src/bindings/type_names.cc)

# Only what loops over pixels and embeddings is built for speed, the rest for size: the module is downloaded by phones.
core_flags(core_pixel_sources -O2)
core_flags(core_sum_sources -O2)
core_flags(core_other_sources -Oz)
core_flags(module_sources -Oz)
core_flags(core_stb_source -Os)  # PNG: a sixth slower than -O2, and a twentieth of the whole module

set(module_link_options
  -Os                          # of the passes over the whole; -Oz would cost half of the speed
  --bind
  --no-entry
  -sSTRICT=1
  -sMODULARIZE=1
  -sEXPORT_ES6=1
  -sENVIRONMENT=web,worker     # Node hands the bytes in as wasmBinary
  -sDYNAMIC_EXECUTION=0        # no eval: the page's CSP forbids it
  -sALLOW_MEMORY_GROWTH=1
  -sINITIAL_MEMORY=16777216
  -sMAXIMUM_MEMORY=2147483648
  -sABORTING_MALLOC=0          # no memory is an error that the next photo survives
  -sMALLOC=emmalloc            # small; the module allocates few and large blocks
  -sTEXTDECODER=2              # every browser and Node has one
  -sINCOMING_MODULE_JS_API=wasmBinary,locateFile
  -sFILESYSTEM=0
  -sASSERTIONS=0
  -fno-exceptions
  -fno-rtti)                   # takes the Embind that was built without as well

function(dermlet_module target name exported)
  # The glue is JavaScript; its types are the interface beside the bindings.
  file(RELATIVE_PATH interface "${CMAKE_BINARY_DIR}" "${CMAKE_SOURCE_DIR}/wasm_src/bindings/${name}.js")
  file(WRITE "${CMAKE_BINARY_DIR}/${name}.d.ts"
    "export * from '${interface}';\nexport { default } from '${interface}';\n")
  add_executable(${target} ${ARGN}
    wasm_src/bindings/field.cc wasm_src/bindings/field_words.cc wasm_src/bindings/type_names.cc)
  target_link_libraries(${target} PRIVATE dermlet dermlet_warnings)
  target_compile_definitions(${target} PRIVATE EMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0)
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${name} SUFFIX .js)
  target_link_options(${target} PRIVATE -sEXPORT_NAME=${exported} ${module_link_options})
endfunction()

dermlet_module(dermlet_module dermlet createDermlet
  wasm_src/bindings/bindings.cc wasm_src/bindings/specs.cc)
dermlet_module(learn_module learn createLearn wasm_src/bindings/learn.cc)
