// Drawn pictures cut short and with bytes of their headers changed. A cut file is an error, or was whole already and
// gives the same tensor; a changed one gives a picture of the size that its header states, or an error. Every drawn
// file is here; what is small is cut at every byte, of what is larger every byte of its beginning and end and some
// between.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

#include "files.h"
#include "formats/inspect.h"
#include "formats/jpeg/markers.h"
#include "pipeline.h"
#include "support.h"

namespace dermlet {
namespace {

using testing::kSanitized;

// Under the sanitizers everything takes some ten times as long.
constexpr std::size_t kSmall = kSanitized ? 700 : 2'500;  // bytes of JPEGs that are cut at every byte; of other files,
                                                          // whose structure is checked before they are decoded, kLarge
constexpr std::size_t kBeginning = kSanitized ? 200 : 900;
constexpr std::size_t kBetween = kSanitized ? 24 : 160;  // cuts of the rest of a larger file
constexpr std::size_t kEnd = 24;
constexpr std::size_t kLarge = 30'000;         // bytes of files of whose header not every byte is changed
constexpr std::int64_t kMostPixels = 120'000;  // of pictures that a changed header makes

struct Drawn {
  std::string name;
  std::vector<std::uint8_t> bytes;
};

using Extensions = std::set<std::string>;

std::vector<Drawn> drawn(const Extensions& extensions) {
  std::vector<Drawn> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(testing::tests_dir() / "pictures")) {
    if (entry.is_regular_file() && extensions.contains(entry.path().extension()))
      files.push_back({entry.path().filename(), testing::read_file(entry.path())});
  }
  std::sort(files.begin(), files.end(), [](const Drawn& a, const Drawn& b) { return a.name < b.name; });
  return files;
}

PrepareSpec small_spec() {
  PrepareSpec spec;
  spec.tensor = {16, 16, Layout::kNchw, ChannelOrder::kRgb, {127, 127, 127}, {128, 128, 128}};
  return spec;
}

// The header of a foreign format is all that the core reads of it.
struct Answer {
  std::optional<Error> error;
  std::vector<float> tensor;
  int width = 0;
  int height = 0;
};

Answer answer_to(Bytes bytes) {
  Answer answer;
  const auto header = inspect(bytes);
  if (header && is_foreign(header->format)) {
    answer.width = header->width;
    answer.height = header->height;
    return answer;
  }
  const auto prepared = prepare(bytes, small_spec());
  if (!prepared) {
    answer.error = prepared.error();
    return answer;
  }
  answer.tensor.assign(prepared->tensor.span().begin(), prepared->tensor.span().end());
  answer.width = prepared->source.width;
  answer.height = prepared->source.height;
  return answer;
}

bool is_refusal(const Error& error) {
  return (error.code == ErrorCode::kCorruptImage || error.code == ErrorCode::kUnsupportedFormat ||
          error.code == ErrorCode::kImageTooLarge) &&
         !error.message.empty();
}

std::vector<std::size_t> cuts_of(Bytes bytes) {
  const std::size_t size = bytes.size();
  const bool all = size <= (starts_with(bytes, "\xFF\xD8") ? kSmall : kLarge);
  const std::size_t step = std::max<std::size_t>(1, size / kBetween);
  std::vector<std::size_t> cuts;
  for (std::size_t n = 0; n < size;
       n += all || n < kBeginning || n + kEnd >= size ? 1 : std::min(step, size - kEnd - n))
    cuts.push_back(n);
  return cuts;
}

class Damage : public ::testing::TestWithParam<std::string> {
 protected:
  static std::vector<Drawn> files() {
    if (GetParam() == "other") return drawn({".gif", ".pdf", ".svg", ".txt"});
    return drawn(GetParam() == "foreign" ? Extensions{".webp", ".avif", ".heic"} : Extensions{"." + GetParam()});
  }
};

INSTANTIATE_TEST_SUITE_P(Kinds, Damage, ::testing::Values("jpg", "png", "bmp", "foreign", "other"),
                         [](const auto& param) { return param.param; });

TEST_P(Damage, ACutFileIsAnErrorOrWasWhole) {
  std::size_t errors = 0;
  for (const auto& [name, bytes] : files()) {
    const Answer whole = answer_to(bytes);
    for (const std::size_t n : cuts_of(bytes)) {
      // A copy of its own, so that the sanitizer sees a byte read beyond.
      const std::vector<std::uint8_t> cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
      const Answer part = answer_to(cut);
      if (part.error) {
        ASSERT_TRUE(is_refusal(*part.error)) << name << " cut at " << n << ": " << part.error->message;
        ++errors;
        continue;
      }
      ASSERT_FALSE(whole.error) << name << " is refused, and read when cut at " << n;
      ASSERT_TRUE(part.width == whole.width && part.height == whole.height && part.tensor == whole.tensor)
          << name << " cut at " << n << " is another picture";
    }
  }
  EXPECT_GT(errors, GetParam() == "other" ? 100u : 1000u);
}

// Whether the bytes up to here hold a scan's header: then there is something to say of how much is missing.
bool scan_has_begun(Bytes jpeg) {
  for (std::size_t at = 2;;) {
    const auto segment = jpeg::next_segment(jpeg, at);
    if (!segment || !*segment) return false;
    if ((*segment)->marker == jpeg::kSos) return true;
    at = (*segment)->end;
  }
}

int percent_in(const std::string& message) {
  const std::size_t at = message.find("about ");
  return at == std::string::npos || message.find(" % of ") == std::string::npos ? -1
                                                                                : std::stoi(message.substr(at + 6));
}

TEST(DamagedJpeg, ACutOneSaysHowMuchCouldBeRead) {
  std::size_t said = 0;
  for (const char* name :
       {"spot-444.jpg", "spot-gray.jpg", "spot-restart.jpg", "kinds/jpeg-420.jpg", "kinds/jpeg-grey.jpg",
        "kinds/jpeg-rgb.jpg", "kinds/jpeg-ycck.jpg", "kinds/jpeg-420-progressive.jpg"}) {
    const auto bytes = testing::picture_bytes(name);
    const bool progressive = std::string(name).find("progressive") != std::string::npos;
    const std::size_t step = bytes.size() > kSmall ? 17 : 1;
    int before = 0;
    for (std::size_t n = 4; n + 2 < bytes.size(); n += step) {
      const Answer part = answer_to(Bytes(bytes).first(n));
      if (!part.error) continue;  // all of the picture was there, its end marker was not
      ASSERT_EQ(part.error->code, ErrorCode::kCorruptImage) << name << " cut at " << n;
      if (!scan_has_begun(Bytes(bytes).first(n))) continue;
      const int percent = percent_in(part.error->message);
      if (progressive) {
        // Between two passes nothing of a pass is missing, but passes are.
        ASSERT_TRUE(percent >= 0 || part.error->message.find("ends before") != std::string::npos)
            << name << " cut at " << n << ": " << part.error->message;
        continue;
      }
      ASSERT_GE(percent, before) << name << " cut at " << n << ": " << part.error->message;
      ASSERT_LE(percent, 99);
      before = percent;
      ++said;
    }
    if (!progressive) {
      EXPECT_GT(before, 80) << name;
    }
  }
  EXPECT_GT(said, 1000u);
}

// Bytes before the picture's data: what structure there is to be broken.
std::size_t header_bytes(Bytes bytes) {
  constexpr std::size_t kMost = kSanitized ? 320 : 640;
  std::size_t end = bytes.size();
  if (starts_with(bytes, "\xFF\xD8")) {
    for (std::size_t at = 2;;) {
      const auto segment = jpeg::next_segment(bytes, at);
      if (!segment || !*segment) break;
      at = (*segment)->end;
      if ((*segment)->marker != jpeg::kSos) continue;
      end = at;
      break;
    }
  } else if (starts_with(bytes, "BM")) {
    end = read_u32(bytes, 10, ByteOrder::kLittle).value_or(54);
  } else {
    for (std::size_t at = 8; at + 4 < bytes.size(); ++at) {
      if (!starts_with(bytes, "IDAT", at)) continue;
      end = at + 4;
      break;
    }
  }
  return std::min({end, bytes.size(), kMost});
}

TEST_P(Damage, AFileWithAChangedHeaderIsAPictureOrAnError) {
  const bool few = kSanitized || GetParam() == "jpg";
  const std::vector<std::uint8_t> masks =
      few ? std::vector<std::uint8_t>{0x01, 0x80} : std::vector<std::uint8_t>{0x01, 0x04, 0x20, 0x80, 0xFF};
  // JPEGs, of which there are most, take longest: there each byte has its turn with one of the masks.
  const bool in_turn = kSanitized && GetParam() == "jpg";
  std::size_t pictures = 0;
  std::size_t errors = 0;
  for (const auto& [name, bytes] : files()) {
    auto changed = bytes;
    const std::size_t step = bytes.size() > kLarge ? 11 : 1;
    for (std::size_t at = 0; at < header_bytes(bytes); at += step) {
      for (std::size_t m = 0; m < masks.size(); ++m) {
        if (in_turn && m != at % masks.size()) continue;
        const std::uint8_t mask = masks[m];
        changed[at] = static_cast<std::uint8_t>(bytes[at] ^ mask);
        const auto header = inspect(changed);
        if (header && static_cast<std::int64_t>(header->width) * header->height > kMostPixels) continue;
        const Answer answer = answer_to(changed);
        if (answer.error) {
          ASSERT_TRUE(is_refusal(*answer.error)) << name << " byte " << at << ": " << answer.error->message;
          ++errors;
          continue;
        }
        const bool turned = header->orientation >= 5;
        ASSERT_TRUE(answer.width == (turned && !answer.tensor.empty() ? header->height : header->width))
            << name << " byte " << at;
        ASSERT_TRUE(std::all_of(answer.tensor.begin(), answer.tensor.end(), [](float v) { return std::abs(v) <= 1; }))
            << name << " byte " << at;
        ++pictures;
      }
      changed[at] = bytes[at];
    }
  }
  EXPECT_GT(errors, 100u);
  if (GetParam() != "other") {
    EXPECT_GT(pictures, 100u);
  }
}

}  // namespace
}  // namespace dermlet
