#include "formats/foreign/boxes.h"

#include <algorithm>
#include <array>

namespace dermlet::foreign {
namespace {

using namespace std::string_view_literals;

struct Brand {
  std::string_view brand;
  Format format;
};

constexpr std::array kBrands = {
    Brand{"avif", Format::kAvif}, Brand{"avis", Format::kAvif}, Brand{"heic", Format::kHeic},
    Brand{"heix", Format::kHeic}, Brand{"heim", Format::kHeic}, Brand{"heis", Format::kHeic},
    Brand{"hevc", Format::kHeic}, Brand{"hevx", Format::kHeic},
};

// Names of properties that hold a decoder's configuration.
constexpr std::array kConfigurations = {Brand{"hvcC", Format::kHeic}, Brand{"av1C", Format::kAvif}};

std::optional<Format> format_of_properties(Bytes ipco) {
  constexpr std::size_t kMost = 1000;
  std::size_t at = 0;
  for (std::size_t i = 0; i < kMost && at < ipco.size(); ++i) {
    const auto box = read_box(ipco, at, Beyond::kYes);
    if (!box) break;
    for (const Brand& one : kConfigurations) {
      if (starts_with(box->type, one.brand)) return one.format;
    }
    at = box->end;
  }
  return {};
}

}  // namespace

std::optional<Part> read_box(Bytes bytes, std::size_t at, Beyond beyond) {
  const auto size = read_u32(bytes, at, kBig);
  if (!size || !read_u32(bytes, at + 4, kBig)) return {};
  const std::size_t left = bytes.size() - at;
  std::size_t whole = *size;
  std::size_t head = 8;
  if (whole == 0) whole = left;  // to the end
  if (whole == 1) {              // 64 bits, of which a file here needs 32
    const auto low = read_u32(bytes, at + 12, kBig);
    if (!low || read_u32(bytes, at + 8, kBig) != 0u) return {};
    whole = *low;
    head = 16;
  }
  if (whole < head || (whole > left && beyond == Beyond::kNo)) return {};
  whole = std::min(whole, left);
  return Part{slice(bytes, at + 4, 4), slice(bytes, at + head, whole - head), at + whole};
}

Bytes find_box(Bytes bytes, std::string_view type, Beyond beyond) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto box = read_box(bytes, at, beyond);
    if (!box) return {};
    if (starts_with(box->type, type)) return box->payload;
    at = box->end;
  }
  return {};
}

std::optional<Format> format_of_brands(Bytes bytes) {
  const std::size_t end = std::min<std::size_t>(read_u32(bytes, 0, kBig).value_or(0), 256);
  for (std::size_t at = 8; at == 8 || at + 4 <= end; at += at == 8 ? 8 : 4) {
    for (const Brand& brand : kBrands) {
      if (starts_with(bytes, brand.brand, at)) return brand.format;
    }
  }
  return {};
}

IsoKind iso_kind(Bytes bytes) {
  if (const auto format = format_of_brands(bytes)) return {format};
  if (starts_with(bytes, "crx "sv, 8)) return {{}, IsoOther::kRaw};
  // "mif1" and others mark a HEIF file without naming its coding. Whatever the brands, pictures say that they are some.
  const Bytes meta = slice(find_box(bytes, "meta"sv, Beyond::kYes), 4);
  const bool pictures = starts_with(find_box(meta, "hdlr"sv, Beyond::kYes), "pict"sv, 8);
  const bool container = starts_with(bytes, "mif"sv, 8) || starts_with(bytes, "msf1"sv, 8);
  if (!pictures && !container) return {};
  const Bytes iprp = find_box(meta, "iprp"sv, Beyond::kYes);
  const auto format = format_of_properties(find_box(iprp, "ipco"sv, Beyond::kYes));
  return {format, IsoOther::kPicture};
}

}  // namespace dermlet::foreign
