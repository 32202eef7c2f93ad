#include "journal/record.hpp"

#include <cctz/time_zone.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

namespace connectid::inline v0::detail {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;
using Kind = Record::Kind;

constexpr int format = 1;
// A line begins so, and nothing in it looks so: the quotes within a text are escaped, and no value is an object.
constexpr std::string_view beginning = R"({"v":)";
// Four digits: a year of nine, which a damaged line may show, no Timestamp can count.
constexpr auto time_form = "%E4Y-%m-%dT%H:%M:%E3SZ";

ordered_json begin_line(const char* event, const JournalCall& call, Timestamp at) {
  return {{"v", format},
          {"at", cctz::format(time_form, at, cctz::utc_time_zone())},
          {"event", event},
          {"call_id", call.call_id}};
}

std::string end_line(const ordered_json& line) {
  return line.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

std::optional<std::string> text_of(const json& line, const char* name) {
  const auto field = line.find(name);
  return field != line.end() && field->is_string() ? std::optional(field->get<std::string>()) : std::nullopt;
}

std::optional<int> number_of(const json& line, const char* name) {
  const auto field = line.find(name);
  if (field == line.end() || !field->is_number_unsigned()) return std::nullopt;
  const auto value = field->get<json::number_unsigned_t>();
  constexpr auto most = std::numeric_limits<int>::max();
  return value > most ? most : static_cast<int>(value);
}

std::optional<Timestamp> time_of(const json& line, const char* name) {
  Timestamp time;
  const auto text = text_of(line, name);
  if (!text || !cctz::parse(time_form, *text, cctz::utc_time_zone(), &time)) return std::nullopt;
  return time;
}

Record read_sending(const json& from, Record line) {
  const auto attempt = number_of(from, "attempt");
  const auto method = text_of(from, "method");
  const auto url = text_of(from, "url");
  const auto body = text_of(from, "body");
  if (!attempt || !method || !url || !body) return {};
  line.kind = Kind::sending;
  line.attempt = *attempt;
  line.method = *method;
  line.url = *url;
  line.body = *body;
  return line;
}

Record read_ended(const json& from, Record line) {
  const auto outcome = text_of(from, "outcome");
  if (!outcome) return {};
  line.kind = Kind::ended;
  line.outcome = *outcome;
  return line;
}

Record read_object(std::string_view text) {
  const json from = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!from.is_object()) return {};
  const auto version = number_of(from, "v");
  if (version && *version > format) return {.kind = Kind::newer_format};
  const auto at = time_of(from, "at");
  const auto event = text_of(from, "event");
  if (version != format || !at || !event) return {};
  if (event != "sending" && event != "ended") return {.kind = Kind::other, .at = *at};
  const auto call_id = text_of(from, "call_id");
  if (!call_id) return {};
  Record line{.at = *at, .call_id = *call_id};
  return event == "sending" ? read_sending(from, std::move(line)) : read_ended(from, std::move(line));
}

}  // namespace

std::string sending_line(const JournalCall& call, int attempt, Timestamp at) {
  ordered_json line = begin_line("sending", call, at);
  line["attempt"] = attempt;
  line["method"] = call.method;
  line["url"] = call.url;
  line["body"] = call.body;
  return end_line(line);
}

std::string ended_line(const JournalCall& call, Outcome outcome, Timestamp at) {
  ordered_json line = begin_line("ended", call, at);
  line["outcome"] = to_string(outcome);
  return end_line(line);
}

bool begins_as_journal(std::string_view text) noexcept {
  const std::string_view first = text.substr(0, text.find('\n'));
  // A full disk may have cut the line, and a power cut have left zeros in its place.
  return first.starts_with(beginning) || beginning.starts_with(first) || first.starts_with('\0');
}

Record read_record(std::string_view text) {
  if (text.empty()) return {.kind = Kind::other};
  const std::size_t begin = text.rfind(beginning);
  if (begin == std::string_view::npos) return {};
  Record line = read_object(text.substr(begin));
  line.after_half_a_line = begin > 0;
  return line;
}

}  // namespace connectid::inline v0::detail
