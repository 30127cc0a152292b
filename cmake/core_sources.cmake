# The core's sources, once, and the flags that single files need. Flags of sources hold in the folder that includes this
# file, and are appended: the last of two that contradict each other counts.
set(core_folder "${CMAKE_CURRENT_LIST_DIR}/../wasm_src/core")

# Loops over pixels, which are built for speed everywhere.
set(core_idct_source formats/jpeg/idct.cc)
set(core_jpeg_sources
  formats/jpeg/decode.cc
  formats/jpeg/huffman.cc
  formats/jpeg/output.cc)
set(core_pixel_sources
  colour/table.cc
  geometry/resample.cc
  view/quality.cc)

# Sums over embeddings.
set(core_sum_sources
  learn/atlas.cc
  learn/logistic.cc)

set(core_other_sources
  colour/colour.cc
  colour/codes.cc
  colour/icc.cc
  colour/tags.cc
  decision/combine.cc
  decision/decision.cc
  decision/heatmap.cc
  decision/modality.cc
  decision/own_head.cc
  decision/rejection.cc
  formats/bmp/decode.cc
  formats/bmp/header.cc
  formats/bmp/layout.cc
  formats/decode.cc
  formats/exif.cc
  formats/foreign/boxes.cc
  formats/foreign/coded.cc
  formats/foreign/heif.cc
  formats/foreign/parts.cc
  formats/foreign/webp.cc
  formats/header.cc
  formats/inspect.cc
  formats/jpeg/header.cc
  formats/jpeg/markers.cc
  formats/png/chunks.cc
  formats/png/colours.cc
  formats/png/header.cc
  formats/png/palette.cc
  formats/sniff.cc
  geometry/orientation.cc
  learn/head.cc
  pipeline.cc
  view/locate.cc
  view/tensor.cc
  view/views.cc)

set(core_stb_source formats/stb_image.cc)

set(core_sources)
foreach(list core_idct_source core_jpeg_sources core_pixel_sources core_sum_sources core_other_sources core_stb_source)
  list(TRANSFORM ${list} PREPEND "${core_folder}/")
  list(APPEND core_sources ${${list}})
endforeach()

function(core_flags sources)
  set_property(SOURCE ${${sources}} APPEND PROPERTY COMPILE_OPTIONS ${ARGN})
endfunction()

# Broken files may overflow the inverse DCT's sums, which is harmless where it is defined.
core_flags(core_idct_source -fwrapv)
core_flags(core_jpeg_sources -O2)
core_flags(core_stb_source -w -O2)
if(DERMLET_SANITIZE)
  # memcpy of nothing from nowhere, which stb_image does for empty chunks, is harmless.
  core_flags(core_stb_source -fno-sanitize=nonnull-attribute)
endif()
