// nanobind: converts, checks, forwards, as bindings.cc does for JavaScript and with the same names of fields; specs.h
// reads the arguments of both. tools/train/core/dermlet_core/_dermlet_core.pyi says the same for Python.
//
// Arguments are copied before the work begins, so that nobody can change them meanwhile, and the GIL is released for
// it. Pixels and tensors are handed out without a copy: the array owns what the core allocated. A call keeps nothing,
// and any number of threads may call at once.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <array>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decision/modality.h"
#include "field.h"
#include "formats/inspect.h"
#include "formats/sniff.h"
#include "pipeline.h"
#include "specs.h"

namespace nb = nanobind;

namespace dermlet {
namespace {

// A dictionary whose fields are written by the shortest call.
class Record {
 public:
  template <typename T>
  Record& set(const char* key, const T& value) {
    fields_[key] = value;
    return *this;
  }
  Record& text(const char* key, std::string_view value) { return set(key, nb::str(value.data(), value.size())); }
  [[nodiscard]] const nb::dict& get() const { return fields_; }

 private:
  nb::dict fields_;
};

// The exception is Python's own class, so that it can be pickled and sent between processes.
[[noreturn]] void raise(const Error& error) {
  const nb::object type = nb::module_::import_("dermlet_core.errors").attr("DermletError");
  const std::string_view code = name_of(error.code);
  const nb::object exception =
      type(nb::str(code.data(), code.size()), nb::str(error.message.data(), error.message.size()));
  PyErr_SetObject(type.ptr(), exception.ptr());
  throw nb::python_error();
}

void raise_if(const std::optional<Error>& error) {
  if (error) raise(*error);
}

template <typename T>
T value_of(Expected<T>&& expected) {
  if (!expected) raise(expected.error());
  return *std::move(expected);
}

// The core's work, without the GIL.
template <typename Work>
auto unlocked(const Work& work) {
  return value_of([&] {
    const nb::gil_scoped_release released;
    return work();
  }());
}

// An array that owns the buffer; its shape must be the buffer's.
template <typename T, std::size_t Axes>
nb::object array_of(Buffer<T>&& buffer, const std::array<std::size_t, Axes>& shape) {
  auto kept = std::make_unique<Buffer<T>>(std::move(buffer));
  T* const data = kept->data();
  const nb::capsule owner(kept.get(), [](void* pointer) noexcept {
    const std::unique_ptr<Buffer<T>> released(static_cast<Buffer<T>*>(pointer));
  });
  static_cast<void>(kept.release());  // the capsule's now
  return nb::ndarray<nb::numpy, T>(data, Axes, shape.data(), owner).cast();
}

std::size_t size_of(int length) { return static_cast<std::size_t>(length); }

nb::object to_python(Image&& image) {
  if (image.empty()) return nb::none();
  const std::array<std::size_t, 3> shape = {size_of(image.height), size_of(image.width), size_of(image.channels)};
  return array_of(std::move(image.pixels), shape);
}

nb::object to_python(Buffer<float>&& tensor, const TensorSpec& spec) {
  if (tensor.empty()) return nb::none();
  const std::size_t height = size_of(spec.height);
  const std::size_t width = size_of(spec.width);
  const std::size_t views = tensor.size() / (3 * height * width);
  const bool planes = spec.layout == Layout::kNchw;
  return array_of(std::move(tensor), planes ? std::array<std::size_t, 4>{views, 3, height, width}
                                            : std::array<std::size_t, 4>{views, height, width, 3});
}

nb::dict to_python(const Rect& r) {
  return Record().set("x", r.x).set("y", r.y).set("width", r.width).set("height", r.height).get();
}

template <typename Values>
nb::list list_of(const Values& values) {
  nb::list list;
  for (const auto& value : values) list.append(value);
  return list;
}

nb::list to_python(const std::vector<QualityCheck>& checks) {
  nb::list list;
  for (const QualityCheck& check : checks) {
    list.append(Record()
                    .text("id", check.id)
                    .set("value", check.value)
                    .set("limit", check.limit)
                    .set("passed", check.passed)
                    .get());
  }
  return list;
}

nb::dict to_python(const Quality& quality) {
  return Record().set("usable", quality.usable).set("checks", to_python(quality.checks)).get();
}

nb::dict to_python(const Source& source) {
  return Record()
      .text("format", name_of(source.format))
      .set("width", source.width)
      .set("height", source.height)
      .set("orientation", source.orientation)
      .text("colour", name_of(source.colour))
      .get();
}

nb::object to_python(const std::optional<double>& number) {
  if (number) return nb::float_(*number);
  return nb::none();
}

nb::dict to_python(const ColourDescription& colours) {
  Record record;
  record.text("kind", name_of(colours.kind));
  if (colours.kind == ColourKind::kProfile)
    record.set("profile", nb::bytes(colours.profile.data(), colours.profile.size()));
  if (colours.kind == ColourKind::kPrimaries) {
    nb::list places;
    for (const auto& [x, y] : colours.primaries) {
      places.append(x);
      places.append(y);
    }
    record.set("primaries", places).set("exponent", to_python(colours.exponent));
  }
  return record.get();
}

nb::dict to_python(const Decision& decision) {
  const float threshold = decision.rejection_threshold;
  const bool refuses = threshold != std::numeric_limits<float>::infinity();
  return Record()
      .set("probabilities", list_of(decision.probabilities))
      .set("ranking", list_of(decision.ranking))
      .set("predictionSet", list_of(decision.prediction_set))
      .text("outcome", name_of(decision.outcome))
      .text("tier", name_of(decision.tier))
      .set("rejection", decision.rejection)
      .set("rejectionThreshold", to_python(refuses ? std::optional<double>(threshold) : std::nullopt))
      .get();
}

nb::dict sniff_py(const nb::object& file) {
  std::optional<Error> error;
  const auto bytes = Field("bytes", file, error).bytes(kSniffedBytes);
  raise_if(error);
  const Format format = value_of(sniff(bytes.span()));
  return Record().text("format", name_of(format)).set("foreign", is_foreign(format)).get();
}

nb::dict inspect_py(const nb::object& file) {
  std::optional<Error> error;
  const auto bytes = Field("bytes", file, error).bytes(kMaxFileBytes + 1);
  raise_if(error);
  const Header header = unlocked([&] { return inspect(bytes.span()); });
  nb::list patches;
  for (const BytePatch& patch : header.neutralising) {
    patches.append(patch.at);
    patches.append(static_cast<int>(patch.value));
  }
  return Record()
      .text("format", name_of(header.format))
      .set("width", header.width)
      .set("height", header.height)
      .set("orientation", header.orientation)
      .set("channels", header.channels)
      .set("colours", to_python(header.colours))
      .set("neutralising", patches)
      .get();
}

nb::dict read_py(const nb::object& picture) {
  std::optional<Error> error;
  Buffer<std::uint8_t> file;
  const PictureSource source = source_from({"source", picture, error}, file);
  raise_if(error);
  WholePicture whole = unlocked([&] { return read_whole(source); });
  return Record().set("pixels", to_python(std::move(whole.image))).set("source", to_python(whole.source)).get();
}

nb::dict prepare_py(const nb::object& picture, const nb::object& spec_value, const nb::object& crop) {
  std::optional<Error> error;
  Buffer<std::uint8_t> file;
  const PictureSource source = source_from({"source", picture, error}, file);
  const PrepareSpec spec = prepare_spec_from({"spec", spec_value, error});
  const std::optional<Rect> wanted = crop_from({"crop", crop, error});
  raise_if(error);
  Prepared prepared = unlocked([&] { return prepare(source, spec, wanted); });
  nb::object whole = nb::none();
  if (spec.whole) whole = to_python(std::move(prepared.whole), spec.whole->tensor);
  return Record()
      .set("tensor", to_python(std::move(prepared.tensor), spec.tensor))
      .set("view", to_python(std::move(prepared.view)))
      .set("preview", to_python(std::move(prepared.preview)))
      .set("whole", whole)
      .set("region", to_python(prepared.region))
      .set("source", to_python(prepared.source))
      .set("quality", to_python(prepared.quality))
      .set("qualityValues", list_of(prepared.quality_values))
      .get();
}

nb::object resample_py(const nb::object& pixels, const nb::object& size, const nb::object& target,
                       const nb::object& filter) {
  constexpr Range kRead = {1, kMaxSide};
  constexpr Range kMade = {1, kMaxTensorSide};
  std::optional<Error> error;
  const Field from("size", size, error);
  Image image = {from["width"].integer(kRead), from["height"].integer(kRead), 3,
                 Field("pixels", pixels, error).bytes()};
  const Field to("target", target, error);
  const int width = to["width"].integer(kMade);
  const int height = to["height"].integer(kMade);
  const auto kind = Field("filter", filter, error).one_of<Filter>();
  if (!error && image.pixels.size() != image.stride() * size_of(image.height))
    error = Error{ErrorCode::kInvalidArgument, "pixels must be width * height * 3 bytes of RGB"};
  raise_if(error);
  const Box all = {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)};
  return to_python(unlocked([&] { return resample(image, all, width, height, kind); }));
}

nb::dict judge_quality_py(const nb::object& values, const nb::object& limits) {
  std::optional<Error> error;
  const QualityValues measured = quality_values_from({"values", values, error});
  const QualityLimits wanted = quality_limits_from({"limits", limits, error});
  raise_if(error);
  return to_python(judge_quality(measured, wanted));
}

nb::dict locate_py(const nb::object& output, const nb::object& rows, const nb::object& columns,
                   const nb::object& picture, const nb::object& spec) {
  constexpr Range kGrid = {1, kMaxLocatorGrid};
  std::optional<Error> error;
  const auto values = Field("output", output, error).floats();
  const int grid_rows = Field("rows", rows, error).integer(kGrid);
  const int grid_columns = Field("columns", columns, error).integer(kGrid);
  const Field size("picture", picture, error);
  const int width = size["width"].integer({.least = 1});
  const int height = size["height"].integer({.least = 1});
  const LocateSpec wanted = locate_spec_from({"spec", spec, error});
  raise_if(error);
  const Located located =
      unlocked([&] { return locate(values.span(), grid_rows, grid_columns, width, height, wanted); });
  nb::list spots;
  for (const Spot& spot : located.spots) {
    spots.append(Record()
                     .set("x", spot.x)
                     .set("y", spot.y)
                     .set("width", spot.width)
                     .set("height", spot.height)
                     .set("score", spot.score)
                     .set("frame", to_python(spot.frame))
                     .get());
  }
  return Record()
      .text("framing", name_of(located.framing))
      .set("frame", to_python(located.frame))
      .set("spots", spots)
      .get();
}

nb::dict recognise_modality_py(const nb::object& embedding, const nb::object& probe) {
  std::optional<Error> error;
  const auto values = Field("embedding", embedding, error).floats();
  const Field v("probe", probe, error);
  const auto weights = v["weights"].numbers();
  const auto bias = v["bias"].numbers();
  raise_if(error);
  const RecognisedModality found = value_of(recognise_modality(values.span(), weights, bias));
  return Record().set("index", found.index).set("probability", found.probability).get();
}

nb::object to_python(HeatMap&& map) {
  return Record()
      .set("classIndex", map.class_index)
      .set("rows", map.rows)
      .set("columns", map.columns)
      .set("values", list_of(map.values))
      .set("overlay", to_python(std::move(map.overlay)))
      .get();
}

nb::dict interpret_py(const nb::object& pictures, const nb::object& combination) {
  std::optional<Error> error;
  OwnedPictures owned;
  const std::vector<LesionOutputs> lesion = pictures_from({"pictures", pictures, error}, owned);
  const CombinationSpec combining = combination_from({"combination", combination, error}, lesion.size());
  raise_if(error);
  Interpretation found = unlocked([&] { return interpret(lesion, combining); });
  nb::object heat_map = nb::none();
  if (found.heat_map) heat_map = to_python(std::move(*found.heat_map));
  nb::list per_picture;
  for (const Decision& decision : found.per_picture) per_picture.append(to_python(decision));
  return Record()
      .set("decision", to_python(found.decision))
      .set("heatMap", heat_map)
      .set("perPicture", per_picture)
      .set("embedding", list_of(found.embedding))
      .set("primaryIndex", found.primary_index)
      .set("combined", found.combined)
      .get();
}

}  // namespace
}  // namespace dermlet

NB_MODULE(_dermlet_core, module) {
  using namespace nb::literals;
  // None is refused by the field that it stands for, with a code, as everything else that is wrong.
  module.def("sniff", &dermlet::sniff_py, "bytes"_a.none());
  module.def("inspect", &dermlet::inspect_py, "bytes"_a.none());
  module.def("read", &dermlet::read_py, "source"_a.none());
  module.def("prepare", &dermlet::prepare_py, "source"_a.none(), "spec"_a.none(), "crop"_a.none() = nb::none());
  module.def("resample", &dermlet::resample_py, "pixels"_a.none(), "size"_a.none(), "target"_a.none(),
             "filter"_a.none());
  module.def("interpret", &dermlet::interpret_py, "pictures"_a.none(), "combination"_a.none() = nb::none());
  module.def("judge_quality", &dermlet::judge_quality_py, "values"_a.none(), "limits"_a.none());
  module.def("locate", &dermlet::locate_py, "output"_a.none(), "rows"_a.none(), "columns"_a.none(), "picture"_a.none(),
             "spec"_a.none());
  module.def("recognise_modality", &dermlet::recognise_modality_py, "embedding"_a.none(), "probe"_a.none());
}
