#include <connectid/testing/fake_server.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

namespace connectid::inline v0::testing {
namespace {

constexpr std::string_view started_body = R"({"status":"OK"})";

Script obeyed_with(Fault fault) { return {.acts = true, .response = std::nullopt, .fault = std::move(fault)}; }

}  // namespace

Script response(int status, std::string body, http::Headers headers) {
  return {.acts = false,
          .response = Script::HttpResponse{.status = status, .body = std::move(body), .headers = std::move(headers)},
          .fault = {}};
}

Script started_but_response_lost(Fault::End end) { return truncate_response_at(0, end); }

Script lost_before_acting(Fault::End end) {
  Script script = truncate_response_at(0, end);
  script.acts = false;
  return script;
}

Script rate_limited_for(std::chrono::milliseconds pause) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(pause).count();
  return response(429, R"({"exceptionType":"TooManyRequestsException","errorMessage":"Too many requests"})",
                  {{"Retry-After", std::to_string(seconds)}, {"X-RateLimit-Remaining", "0"}});
}

Script delayed(std::chrono::milliseconds pause) {
  Fault fault;
  fault.delay = pause;
  return obeyed_with(std::move(fault));
}

Script slow(std::chrono::milliseconds between_bytes) {
  Fault fault;
  fault.drip = between_bytes;
  return obeyed_with(std::move(fault));
}

Script silent() { return truncate_response_at(0, Fault::End::silence); }

Script truncate_request_at(std::size_t byte, Fault::End end) {
  Fault fault;
  fault.truncate_request_at = byte;
  fault.end = end;
  return obeyed_with(std::move(fault));
}

Script truncate_response_at(std::size_t byte, Fault::End end) {
  Fault fault;
  fault.truncate_response_at = byte;
  fault.end = end;
  return obeyed_with(std::move(fault));
}

Script raw_response(std::string bytes, Fault::End end) {
  Fault fault;
  fault.response = std::move(bytes);
  fault.end = end;
  return obeyed_with(std::move(fault));
}

Script garbage() { return raw_response("\x7F\x01 this is not HTTP \xFF\r\n\r\n", Fault::End::fin); }

Script huge(std::size_t bytes) {
  std::string body(started_body);
  body.resize(std::max(bytes, body.size()), ' ');  // white space: still JSON
  Script script = response(200, std::move(body));
  script.acts = true;
  return script;
}

Script token_error(int status, std::string error, std::string error_description) {
  nlohmann::json body = {{"error", std::move(error)}};
  if (!error_description.empty()) body["error_description"] = std::move(error_description);
  return response(status, body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace),
                  {{"Cache-Control", "no-store"}});
}

Script gone() {
  Script script = started_but_response_lost();
  script.fault.stop_listening = true;
  return script;
}

}  // namespace connectid::inline v0::testing
