#include "scaled_jpeg.h"

#include <jpeglib.h>

#include <csetjmp>
#include <cstdio>

namespace dermlet::testing {
namespace {

// libjpeg's way of giving up; it would end the program otherwise.
struct ErrorManager {
  jpeg_error_mgr base;  // first: libjpeg knows the whole by the address of this
  std::jmp_buf give_up;
};

[[noreturn]] void leave(j_common_ptr state) {
  // NOLINTNEXTLINE(modernize-avoid-setjmp-longjmp, cert-err52-cpp)
  std::longjmp(reinterpret_cast<ErrorManager*>(state->err)->give_up, 1);
}

// Nothing with a destructor lives here: longjmp passes over it.
bool decode_into(jpeg_decompress_struct& state, ErrorManager& errors, Bytes file, unsigned reduction, Image& image) {
  if (setjmp(errors.give_up) != 0) return false;  // NOLINT(modernize-avoid-setjmp-longjmp, cert-err52-cpp)
  jpeg_create_decompress(&state);
  jpeg_mem_src(&state, const_cast<unsigned char*>(file.data()), file.size());
  if (jpeg_read_header(&state, TRUE) != JPEG_HEADER_OK) return false;
  state.scale_num = 1;
  state.scale_denom = reduction;
  state.out_color_space = JCS_RGB;
  state.dct_method = JDCT_ISLOW;
  if (jpeg_start_decompress(&state) == 0) return false;
  image = Image::allocate(static_cast<int>(state.output_width), static_cast<int>(state.output_height), 3).value();
  while (state.output_scanline < state.output_height) {
    JSAMPROW row = image.row(static_cast<int>(state.output_scanline));
    jpeg_read_scanlines(&state, &row, 1);
  }
  return jpeg_finish_decompress(&state) != 0;
}

}  // namespace

Image scaled_jpeg(Bytes file, unsigned reduction) {
  jpeg_decompress_struct state = {};
  ErrorManager errors = {};
  state.err = jpeg_std_error(&errors.base);
  errors.base.error_exit = leave;
  Image image;
  const bool whole = decode_into(state, errors, file, reduction, image);
  jpeg_destroy_decompress(&state);
  return whole ? std::move(image) : Image{};
}

}  // namespace dermlet::testing
