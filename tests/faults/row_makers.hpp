#pragma once

// What the files of rows have in common: the names of outcomes and kinds, and rows that are one script of the fake
// server.

#include <utility>

#include "rows.hpp"

namespace connectid::faults {

inline constexpr auto started = "started";
inline constexpr auto not_sent = "not_sent";
inline constexpr auto rejected = "rejected";
inline constexpr auto unknown = "unknown";
inline constexpr auto unexpected = "unexpected_response";
inline constexpr auto transport = "transport_error";

inline const std::string ok_body = R"({"status":"OK"})";

/// A 200 whose head and body are written out by hand.
inline testing::Script ok_with(const std::string& headers, const std::string& body,
                               testing::Fault::End end = testing::Fault::End::keep) {
  return testing::raw_response("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + headers + "\r\n" + body, end);
}

/// These bytes are the response, and nothing is started.
inline testing::Script refused_with(std::string bytes, testing::Fault::End end = testing::Fault::End::keep) {
  testing::Script script = testing::raw_response(std::move(bytes), end);
  script.acts = false;
  return script;
}

/// The script is made when it is needed: some are megabytes, and every test is a process that knows all rows.
inline Row made(std::string name, std::string what, std::function<testing::Script()> script, std::string outcome,
                std::string kind) {
  Row row{.name = std::move(name), .what = std::move(what), .outcome = std::move(outcome), .kind = std::move(kind)};
  row.arm = [script = std::move(script)](Bench& bench) { bench.server.next(script()); };
  return row;
}

inline Row scripted(std::string name, std::string what, testing::Script script, std::string outcome, std::string kind) {
  return made(
      std::move(name), std::move(what), [script = std::move(script)] { return script; }, std::move(outcome),
      std::move(kind));
}

/// Gives the first token to whoever had none refused, and the other to those who had.
inline TokenSource first_then(std::string first, std::string other, std::chrono::milliseconds renewal = {}) {
  return [first = std::move(first), other = std::move(other), renewal](const TokenRequest& request) {
    if (request.refused.empty()) return Result<AccessToken>(AccessToken{first});
    std::this_thread::sleep_for(renewal);
    return Result<AccessToken>(AccessToken{other});
  };
}

/// How many bytes the start of these choices is on the wire, give or take the digits of a port. It is asked of a server
/// of its own.
[[nodiscard]] std::size_t size_of_a_start(const Choices& choices);

}  // namespace connectid::faults
