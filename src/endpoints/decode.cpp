#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "base/number.hpp"
#include "endpoints/endpoint.hpp"

namespace connectid::inline v0::detail {
namespace {

using nlohmann::json;

/// A scalar as the parser gives it.
using Scalar = std::variant<std::nullptr_t, bool, std::int64_t, double, std::string_view>;

std::optional<std::int64_t> integer_in(const Scalar& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* text = std::get_if<std::string_view>(&value)) return number_in<std::int64_t>(*text);
  return std::nullopt;
}

std::optional<double> double_in(const Scalar& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* text = std::get_if<std::string_view>(&value)) return number_in<double>(*text);
  const auto number = integer_in(value);
  return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

std::optional<std::string> text_in(const Scalar& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  return std::nullopt;
}

void set(const Field& field, void* object, const Scalar& value) {
  switch (field.type) {
    case Type::text:
      get<std::string>(field, object) = text_in(value).value_or("");
      return;
    case Type::optional_text:
      get<std::optional<std::string>>(field, object) = text_in(value);
      return;
    case Type::integer:
      get<std::optional<std::int64_t>>(field, object) = integer_in(value);
      return;
    case Type::number:
      get<std::optional<double>>(field, object) = double_in(value);
      return;
    case Type::boolean:
      if (const auto* flag = std::get_if<bool>(&value)) get<std::optional<bool>>(field, object) = *flag;
      return;
    case Type::time:
      if (const auto count = integer_in(value)) {
        get<std::optional<Timestamp>>(field, object) = Timestamp{std::chrono::milliseconds{*count}};
      }
      return;
    case Type::object:
    case Type::list:
      return;
  }
}

/// What the outermost object says of success and failure.
class Says {
 public:
  explicit Says(const Endpoint& endpoint)
      : confirmation_(endpoint.confirmation),
        names_{confirmation_.field, "success", "exceptionType", "errorMessage", "error"} {
    const auto row = std::ranges::find(endpoint.response.fields, confirmation_.field, &Field::name);
    is_container_ = row != endpoint.response.fields.end() && row->at != nullptr;
  }

  void key(std::string_view name) {
    any_ = true;
    const auto at = std::ranges::find(names_, name);
    name_ = static_cast<std::size_t>(at - names_.begin());
    if (name_ == names_.size()) return;
    twice_ = twice_ || there_[name_];
    there_[name_] = true;
  }

  void value(const Scalar& value) {
    if (name_ == field && is_container_) wrong_[field] = true;
    if (name_ == names_.size() || std::holds_alternative<std::nullptr_t>(value)) return;
    const auto* text = std::get_if<std::string_view>(&value);
    const auto* flag = std::get_if<bool>(&value);
    if (names_[name_] == "success") {
      succeeds_ = flag && *flag;
      wrong_[success] = !succeeds_;
    } else if (name_ == field) {
      wrong_[field] = wrong_[field] || (!confirmation_.value.empty() && !(text && *text == confirmation_.value));
    } else {
      wrong_[name_] = true;
    }
  }

  /// An object or a list, which is no scalar of any kind.
  void container() {
    if (name_ != field || !is_container_) value(Scalar(0.0));
  }

  /// Something within the field that is none of its objects.
  void stranger() { wrong_[field] = wrong_[field] || (name_ == field && is_container_); }

  [[nodiscard]] std::string reason() const {
    for (std::size_t name = exception_type; name < names_.size(); ++name) {
      if (wrong_[name]) return "holds " + std::string(names_[name]);
    }
    if (wrong_[success]) return "has another success than true";
    if (wrong_[field] && is_container_) return std::string("has no objects in ").append(confirmation_.field);
    if (wrong_[field])
      return std::string("has another ").append(confirmation_.field).append(" than ").append(confirmation_.value);
    if (twice_) return "holds a field that decides twice";
    if (there_[field] || (confirmation_.may_be_empty && (!any_ || succeeds_))) return {};
    return std::string("has no ").append(confirmation_.field);
  }

 private:
  enum Name : std::size_t { field, success, exception_type, error_message, error, count };

  Confirmation confirmation_;
  /// One that stands twice leaves open which is meant (RFC 8259 section 4).
  std::array<std::string_view, count> names_;
  std::array<bool, count> there_{}, wrong_{};
  std::size_t name_ = count;
  bool any_ = false, twice_ = false, succeeds_ = false, is_container_ = false;
};

/// What the parser tells of a body, put into the fields of a response as it comes: no tree is built.
class Reader {
 public:
  Reader(const Endpoint& endpoint, void* response)
      : says_(endpoint), root_(endpoint.response.fields), response_(response) {}

  [[nodiscard]] std::string reason() const { return is_object_ ? says_.reason() : "is JSON but not an object"; }

  // nlohmann/json's interface of a SAX handler.
  bool null() { return scalar(nullptr); }
  bool boolean(bool value) { return scalar(value); }
  bool number_integer(std::int64_t value) { return scalar(value); }
  bool number_unsigned(std::uint64_t value) {
    if (std::in_range<std::int64_t>(value)) return scalar(static_cast<std::int64_t>(value));
    return scalar(static_cast<double>(value));
  }
  bool number_float(double value, const std::string& /*as it stands*/) { return scalar(value); }
  bool string(std::string& value) { return scalar(std::string_view(value)); }
  bool binary(json::binary_t& /*never in JSON*/) { return false; }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/, const json::exception& /*why*/) { return false; }

  bool key(std::string& name) {
    if (skipped_ > 0) return true;
    Frame& frame = frames_[depth_ - 1];
    const auto field = std::ranges::find(frame.fields, name, &Field::name);
    frame.field = field == frame.fields.end() ? nullptr : &*field;
    frame.objects = 0;
    frame.known = frame.known || frame.field;
    if (depth_ == 1) says_.key(name);
    return true;
  }

  bool start_object(std::size_t /*unknown*/) {
    if (depth_ == 0 && skipped_ == 0) {
      is_object_ = true;
      frames_[depth_++] = {root_, response_};
    } else if (const Field* field = container(); field && depth_ < frames_.size()) {
      frames_[depth_] = {field->rules.fields,
                         field->at(field->member(frames_[depth_ - 1].object), frames_[depth_ - 1].objects++)};
      ++depth_;
    } else {
      ++skipped_;
    }
    return true;
  }

  bool start_array(std::size_t /*unknown*/) {
    if (container() && !frames_[depth_ - 1].in_list) {
      frames_[depth_ - 1].in_list = true;
    } else {
      if (depth_ == 1 && skipped_ == 0 && frames_[0].in_list) says_.stranger();
      ++skipped_;
    }
    return true;
  }

  bool end_object() {
    // A list's only object may stand for the list, but one that says nothing is no object of it.
    if (skipped_ == 0 && depth_ == 2 && !frames_[0].in_list && !frames_[1].known) says_.stranger();
    return end(depth_);
  }
  bool end_array() { return skipped_ > 0 ? end(skipped_) : !(frames_[depth_ - 1].in_list = false); }

 private:
  struct Frame {
    std::span<const Field> fields;
    void* object = nullptr;
    const Field* field = nullptr;  ///< whose value comes next; null: nobody's
    std::size_t objects = 0;       ///< how many it has given that field
    bool in_list = false;          ///< within the list that is that value
    bool known = false;            ///< it has held a field of the table
  };

  /// The field that an object or a list which begins now goes to; null: to none.
  const Field* container() {
    if (depth_ == 0 || skipped_ > 0) return nullptr;
    const Frame& frame = frames_[depth_ - 1];
    if (depth_ == 1 && !frame.in_list) says_.container();
    return frame.field && frame.field->at ? frame.field : nullptr;
  }

  bool end(std::size_t& open) {
    --(skipped_ > 0 ? skipped_ : open);
    return true;
  }

  bool scalar(const Scalar& value) {
    if (depth_ == 0 || skipped_ > 0) return true;
    const Frame& frame = frames_[depth_ - 1];
    if (depth_ == 1) frame.in_list ? says_.stranger() : says_.value(value);
    if (frame.in_list) return true;
    if (frame.field) set(*frame.field, frame.object, value);
    return true;
  }

  Says says_;
  std::span<const Field> root_;
  void* response_;
  std::array<Frame, 8> frames_{};
  std::size_t depth_ = 0;
  std::size_t skipped_ = 0;  ///< how many of what is open are of no field
  bool is_object_ = false;
};

}  // namespace

Reading decode(const Endpoint& endpoint, std::string_view body) {
  Reading reading;
  reading.value = endpoint.response.make();
  if (body.empty()) {
    if (!endpoint.confirmation.may_be_empty) reading.reason = "is empty";
    return reading;
  }
  Reader reader(endpoint, endpoint.response.object(reading.value));
  const bool to_its_end = body.find('\0') == std::string_view::npos;  // nlohmann/json stops reading there
  reading.whole_json = to_its_end && json::sax_parse(body, &reader);
  reading.reason = reading.whole_json ? reader.reason() : "is not JSON";
  return reading;
}

}  // namespace connectid::inline v0::detail
