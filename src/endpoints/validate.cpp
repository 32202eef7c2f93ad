#include <algorithm>
#include <utility>

#include "base/text.hpp"
#include "base/time.hpp"
#include "endpoints/endpoint.hpp"

namespace connectid::inline v0::detail {
namespace {

using Violations = std::vector<Violation>;

std::string quoted(std::string_view text) { return std::string("\"").append(printable(text, 60)).append("\""); }

void report(Violations& found, const Field& field, const char* rule, const std::string& message) {
  found.push_back({std::string(field.name), rule, std::string(field.name).append(" ").append(message)});
}

/// "ORDINARY, B2B or ALL"
std::string listed(std::string_view words) {
  std::string text;
  for (std::size_t space = words.find(' '); space != std::string_view::npos; space = words.find(' ')) {
    text.append(text.empty() ? "" : ", ").append(words.substr(0, space));
    words.remove_prefix(space + 1);
  }
  return text.append(text.empty() ? "" : " or ").append(words);
}

bool is_one_of(std::string_view words, std::string_view text) {
  return text.find(' ') == std::string_view::npos &&
         std::string(" ").append(words).append(" ").find(std::string(" ").append(text).append(" ")) !=
             std::string::npos;
}

void check_length(Violations& found, const Field& field, std::string_view text, std::size_t length) {
  if (field.rules.longest == 0 || length <= field.rules.longest) return;
  report(found, field, "max_length",
         "must be at most " + std::to_string(field.rules.longest) + " characters long, and this has " +
             std::to_string(length) + ": " + quoted(text));
}

void check_text(Violations& found, const Field& field, std::string_view text) {
  const Rules& rules = field.rules;
  if (text.empty()) {
    const std::string longest = rules.longest == 0 ? "a text" : "1 to " + std::to_string(rules.longest) + " characters";
    if (rules.required) report(found, field, "required", "is required: give " + longest);
    return;
  }
  if (!rules.one_of.empty() && !is_one_of(rules.one_of, text)) {
    return report(found, field, "range", "must be " + listed(rules.one_of) + ", and this is " + quoted(text));
  }
  // A URL's path would lose it, and the segment before it.
  if (rules.in == In::path && (text == "." || text == "..")) {
    return report(found, field, "range", "must not be " + quoted(text));
  }
  if (is_plain_ascii(text)) return check_length(found, field, text, text.size());
  std::size_t length = 0;
  bool control = false;
  for (std::string_view rest = text; !rest.empty(); ++length) {
    const auto code = take_code_point(rest);
    if (!code) return report(found, field, "encoding", "must be UTF-8 text, and this is not: " + quoted(text));
    control = control || is_control(*code);
  }
  if (control) {
    report(found, field, "encoding", "must hold no control characters (such as a line break): " + quoted(text));
  }
  check_length(found, field, text, length);
}

void check_integer(Violations& found, const Field& field, std::optional<std::int64_t> number) {
  const bool any = field.rules.least == std::numeric_limits<std::int64_t>::min();
  const std::string least = any ? "a number" : std::to_string(field.rules.least) + " or more";
  if (!number) {
    if (field.rules.required) report(found, field, "required", "is required: give " + least);
  } else if (*number < field.rules.least) {
    report(found, field, "range", "must be " + least + ", and this is " + std::to_string(*number));
  }
}

bool can_be_sent(std::optional<Timestamp> time) {
  using namespace std::chrono_literals;
  constexpr Timestamp first = std::chrono::sys_days{2000y / 1 / 1};
  constexpr Timestamp end = std::chrono::sys_days{2200y / 1 / 1};
  return time && *time >= first && *time < end;
}

void check_time(Violations& found, const Field& field, std::optional<Timestamp> time, std::optional<Timestamp> after) {
  if (!time) {
    if (field.rules.required) report(found, field, "required", "is required: give milliseconds since 1970-01-01 UTC");
  } else if (!can_be_sent(time)) {
    report(found, field, "range",
           "must lie in the years 2000 to 2199, counted in milliseconds since 1970-01-01 UTC, and " +
               std::to_string(time->time_since_epoch().count()) + " does not: were seconds given?");
  } else if (can_be_sent(after) && *time <= *after) {
    report(found, field, "order",
           std::string("must be after ")
               .append(field.rules.after)
               .append(" (")
               .append(utc(*after))
               .append("), and this is ")
               .append(utc(*time)));
  }
}

std::optional<Timestamp> time_of(const Endpoint& endpoint, std::string_view name, const void* request) {
  const auto field = std::ranges::find(endpoint.request.fields, name, &Field::name);
  return field == endpoint.request.fields.end() ? std::nullopt : get<std::optional<Timestamp>>(*field, request);
}

}  // namespace

std::vector<Violation> violations(const Endpoint& endpoint, const void* request) {
  Violations found;
  for (const Field& field : endpoint.request.fields) {
    if (field.type == Type::text) check_text(found, field, get<std::string>(field, request));
    if (field.type == Type::integer) check_integer(found, field, get<std::optional<std::int64_t>>(field, request));
    if (field.type == Type::time) {
      check_time(found, field, get<std::optional<Timestamp>>(field, request),
                 time_of(endpoint, field.rules.after, request));
    }
  }
  return found;
}

}  // namespace connectid::inline v0::detail
