#include <charconv>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "endpoints/endpoint.hpp"
#include "http/form.hpp"

namespace connectid::inline v0::detail {
namespace {

using nlohmann::json;

void append(std::string& out, std::int64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, std::end(digits), number).ptr);
}

void append_quoted(std::string& out, std::string_view text) {
  const bool has_escape = text.find('"') != std::string_view::npos || text.find('\\') != std::string_view::npos;
  if (is_plain_ascii(text) && !has_escape) {
    out += '"';
    out.append(text) += '"';
  } else {
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
  }
}

/// The field's value as JSON, or, where not `quoted`, as text. False, and nothing: it is not given.
bool append_value(std::string& out, const Field& field, const void* request, bool quoted, bool as_text) {
  switch (field.type) {
    case Type::text: {
      const auto& text = get<std::string>(field, request);
      if (text.empty()) return false;
      if (quoted)
        append_quoted(out, text);
      else
        out += text;
      return true;
    }
    case Type::integer: {
      const auto& number = get<std::optional<std::int64_t>>(field, request);
      if (!number) return false;
      const bool in_quotes = quoted && as_text && field.rules.may_be_text;
      if (in_quotes) out += '"';
      append(out, *number);
      if (in_quotes) out += '"';
      return true;
    }
    case Type::time: {
      const auto& time = get<std::optional<Timestamp>>(field, request);
      if (time) append(out, time->time_since_epoch().count());
      return time.has_value();
    }
    case Type::boolean: {
      const auto& flag = get<std::optional<bool>>(field, request);
      if (flag) out += *flag ? "true" : "false";
      return flag.has_value();
    }
    default:  // what requests do not have: the contract test says so
      return false;
  }
}

std::string encoded_value(const Field& field, const void* request) {
  std::string value;
  append_value(value, field, request, false, false);
  return form_encoded(value);
}

}  // namespace

std::string target(const Endpoint& endpoint, const void* request) {
  std::string target(endpoint.path);
  char before = '?';
  for (const Field& field : endpoint.request.fields) {
    if (field.rules.in == In::body) continue;
    const std::string value = encoded_value(field, request);
    if (field.rules.in == In::path) {
      const std::string name = std::string("{").append(field.name).append("}");
      target.replace(target.find(name), name.size(), value);
    } else if (!value.empty()) {
      target.append(1, before).append(field.name).append("=").append(value);
      before = '&';
    }
  }
  return target;
}

std::string body(const Endpoint& endpoint, const void* request, bool as_text) {
  std::string out;
  for (const Field& field : endpoint.request.fields) {
    if (field.rules.in != In::body) continue;
    if (out.empty()) {
      out.reserve(256);
      out = '{';
    }
    const std::size_t before = out.size();
    out.append(before > 1 ? ",\"" : "\"").append(field.name).append("\":");
    if (!append_value(out, field, request, true, as_text)) out.resize(before);
  }
  if (!out.empty()) out += '}';
  return out;
}

}  // namespace connectid::inline v0::detail
