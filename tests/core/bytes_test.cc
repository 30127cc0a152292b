#include "bytes.h"

#include <gtest/gtest.h>

#include <array>

namespace dermlet {
namespace {

constexpr std::array<std::uint8_t, 5> kData = {0x01, 0x02, 0x03, 0x04, 0x05};

TEST(Bytes, ReadsBothOrders) {
  EXPECT_EQ(read_u16(kData, 1, ByteOrder::kBig), 0x0203);
  EXPECT_EQ(read_u16(kData, 1, ByteOrder::kLittle), 0x0302);
  EXPECT_EQ(read_u32(kData, 1, ByteOrder::kBig), 0x02030405u);
  EXPECT_EQ(read_u32(kData, 1, ByteOrder::kLittle), 0x05040302u);
}

TEST(Bytes, NothingIsReadOutside) {
  EXPECT_FALSE(read_u8(kData, 5));
  EXPECT_FALSE(read_u16(kData, 4, ByteOrder::kBig));
  EXPECT_FALSE(read_u32(kData, 2, ByteOrder::kBig));
  EXPECT_FALSE(read_u32(kData, SIZE_MAX - 1, ByteOrder::kBig));
  EXPECT_FALSE(read_u32({}, 0, ByteOrder::kBig));
}

TEST(Bytes, SlicesStayInside) {
  EXPECT_EQ(slice(kData, 3).size(), 2u);
  EXPECT_EQ(slice(kData, 3, 1).size(), 1u);
  EXPECT_EQ(slice(kData, 3, 100).size(), 2u);
  EXPECT_TRUE(slice(kData, 5).empty());
  EXPECT_TRUE(slice(kData, SIZE_MAX).empty());
}

TEST(Bytes, MagicIsComparedWhole) {
  using namespace std::string_view_literals;
  EXPECT_TRUE(starts_with(kData, "\1\2"sv));
  EXPECT_TRUE(starts_with(kData, "\4\5"sv, 3));
  EXPECT_FALSE(starts_with(kData, "\4\5\6"sv, 3));
}

}  // namespace
}  // namespace dermlet
