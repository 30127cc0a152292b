// Headers of formats whose pixels are decoded elsewhere: WebP (RFC 9649), AVIF and HEIC (ISO/IEC 14496-12 boxes,
// 23008-12 items and properties). Sizes are known, and limits applied, before anything is allocated; orientation
// and colours are read here, so that they do not depend on who decodes.
#pragma once

#include "formats/header.h"

namespace dermlet {

// `bytes` begin with the format's signature. Errors: kCorruptImage, kImageTooLarge.
[[nodiscard]] Expected<Header> read_webp_header(Bytes bytes);
[[nodiscard]] Expected<Header> read_heif_header(Bytes bytes, Format format);  // kAvif or kHeic

}  // namespace dermlet
