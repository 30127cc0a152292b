// JPEG -> RGB, whole or reduced by 2, 4 or 8 while decoding ("shrink on load"), whole or a part of it.
//
// Baseline, extended sequential and progressive Huffman-coded JPEG of 8 bits (ITU-T T.81), interleaved or not, any
// integral chroma sampling, restart markers; grey, YCbCr, RGB, CMYK and YCCK, whose inks are taken as inverted whether
// Adobe's marker is there or not, as in Pillow and Chromium. What libjpeg-turbo forgives without guessing at pixels is
// forgiven: Huffman tables left out (motion JPEG), unused ones that are broken, channels of the same name, stray and
// fill bytes, segments without a length. At full size every sample equals
// libjpeg-turbo's (islow IDCT, "fancy" chroma upsampling, its colour conversion) and hence Pillow's. Reduced, each
// block gives 4x4, 2x2 or 1 sample from its lowest frequencies only (idct.h), and chroma that was stored at half
// size keeps its own detail; higher frequencies are passed over without being decoded. Memory follows the reduced part
// asked for, plus for progressive files the coefficients that it needs and 8 bytes a block.
//
// A file that ends early or is broken is an error that says how much of the picture was there; nothing is filled in.
#pragma once

#include "formats/header.h"
#include "geometry/rect.h"

namespace dermlet {

// Every segment up to the first scan; whether the scans are whole is seen by decoding them. `bytes` begin with the
// format's signature. Allocates only the copy of the profile. Errors: kCorruptImage, kUnsupportedFormat,
// kImageTooLarge.
[[nodiscard]] Expected<Header> read_jpeg_header(Bytes bytes);

//   part       full-size pixels of the stored picture; the result holds it with at least a margin of 8 reduced pixels
//   where the picture has them reduction  1, 2, 4 or 8
//   inks       a picture of four channels comes as its inks, cyan, magenta, yellow and black, 0 for none of it, in
//   place of RGB
// `bytes` must have passed read_jpeg_header(). Errors: kCorruptImage, kUnsupportedFormat, kImageTooLarge (no memory).
[[nodiscard]] Expected<Reduced> decode_jpeg(Bytes bytes, const Rect& part, int reduction, bool inks = false);

}  // namespace dermlet
