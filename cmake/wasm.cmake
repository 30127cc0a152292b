# The WebAssembly module: dermlet.js (ES module, Embind glue) and dermlet.wasm.
if(NOT DERMLET_SCALAR)
  target_compile_options(dermlet PUBLIC -msimd128)  # vectors: every browser with WebAssembly SIMD, which ONNX Runtime Web needs anyway
endif()
target_compile_options(dermlet PUBLIC
  -fno-unroll-loops    # an eighth of the whole module, and no slower when measured
  -fno-exceptions      # the core throws nothing
  -fno-rtti)           # and asks nothing of its types
# Only what loops over pixels is built for speed, the rest for size: the module is downloaded by phones.
set_source_files_properties(wasm_src/core/colour.cc wasm_src/core/combine.cc wasm_src/core/decision.cc wasm_src/core/decode.cc wasm_src/core/exif.cc wasm_src/core/header_bmp.cc wasm_src/core/header_foreign.cc wasm_src/core/header_jpeg.cc wasm_src/core/header_png.cc
  wasm_src/core/heatmap.cc wasm_src/core/icc.cc wasm_src/core/jpeg_markers.cc wasm_src/core/palette.cc wasm_src/core/pipeline.cc wasm_src/core/result.cc wasm_src/core/rejection.cc wasm_src/core/sniff.cc wasm_src/core/tensor.cc wasm_src/core/views.cc wasm_src/bindings/bindings.cc wasm_src/bindings/field.cc wasm_src/bindings/type_names.cc PROPERTIES COMPILE_OPTIONS "-Oz")
set_source_files_properties(wasm_src/core/quality.cc wasm_src/core/resample.cc PROPERTIES COMPILE_OPTIONS "-O2")
set_source_files_properties(wasm_src/core/stb_image.cc PROPERTIES COMPILE_OPTIONS "-w;-Os")  # PNG: a sixth slower than -O2, and a twentieth of the whole module


add_executable(dermlet_module wasm_src/bindings/bindings.cc wasm_src/bindings/field.cc wasm_src/bindings/type_names.cc)
target_link_libraries(dermlet_module PRIVATE dermlet)
target_compile_definitions(dermlet_module PRIVATE EMSCRIPTEN_HAS_UNBOUND_TYPE_NAMES=0)
set_target_properties(dermlet_module PROPERTIES OUTPUT_NAME dermlet SUFFIX .js)
target_link_options(dermlet_module PRIVATE
  -Os                          # of the passes over the whole; -Oz would cost half of the speed
  --bind
  --no-entry
  -sSTRICT=1
  -sMODULARIZE=1
  -sEXPORT_ES6=1
  -sEXPORT_NAME=createDermlet
  -sENVIRONMENT=web,worker     # Node hands the bytes in as wasmBinary
  -sDYNAMIC_EXECUTION=0        # no eval: the page's CSP forbids it
  -sALLOW_MEMORY_GROWTH=1
  -sINITIAL_MEMORY=16777216
  -sMAXIMUM_MEMORY=2147483648
  -sABORTING_MALLOC=0          # no memory is an error that the next photo survives
  -sMALLOC=emmalloc            # small; the module allocates few and large blocks
  -sFILESYSTEM=0
  -sASSERTIONS=0
  -fno-exceptions
  -fno-rtti)                   # takes the Embind that was built without as well
