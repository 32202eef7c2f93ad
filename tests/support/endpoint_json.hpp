// The JSON of a request, written by other code than the library's.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "endpoints/endpoint.hpp"

namespace connectid::detail {

inline std::string expected_body(const Endpoint& endpoint, const void* request) {
  nlohmann::ordered_json body;
  const auto put = [&](const Field& field, const auto& value) {
    if (value) body[std::string(field.name)] = *value;
  };
  bool has_body = false;
  for (const Field& field : endpoint.request.fields) {
    if (field.rules.in != In::body) continue;
    has_body = true;
    if (field.type == Type::text) {
      const auto& text = get<std::string>(field, request);
      put(field, text.empty() ? nullptr : &text);
    }
    if (field.type == Type::integer) put(field, get<std::optional<std::int64_t>>(field, request));
    if (field.type == Type::boolean) put(field, get<std::optional<bool>>(field, request));
    if (field.type == Type::time) {
      const auto& time = get<std::optional<Timestamp>>(field, request);
      put(field, time ? std::optional(time->time_since_epoch().count()) : std::nullopt);
    }
  }
  if (!has_body) return "";
  return body.is_null() ? "{}" : body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace connectid::detail
