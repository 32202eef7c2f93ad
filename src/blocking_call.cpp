#include "blocking_call.hpp"

#include <exception>
#include <utility>

namespace connectid::inline v0::detail {
namespace {

/// An action's I/O, and what came of it.
struct Perform {
  const Exchange& exchange;
  const BlockingIo& io;

  Event operator()(GetToken) const {
    if (io.stop.stop_requested()) return cancelled(Stage::prepare);
    try {
      Result<AccessToken> token = io.token_source({.deadline = exchange.deadline(), .stop = io.stop});
      if (io.stop.stop_requested()) return cancelled(Stage::token);
      if (token) return *std::move(token);
      return NoToken{token.error()};
    } catch (...) {
      // Not what(): a message of the user's own may hold the secret that was refused.
      return NoToken{Error(Outcome::not_sent, TokenError{}, "the token source threw an exception")};
    }
  }

  Event operator()(const Send& send) const {
    try {
      http::Reply reply = io.transport.perform(
          *send.request, {.deadline = send.deadline, .connect_timeout = io.connect_timeout, .stop = io.stop});
      return std::visit([](auto& what) -> Event { return std::move(what); }, reply);
    } catch (const std::exception& thrown) {
      return threw(thrown.what());
    } catch (...) {
      return threw("of no standard type");
    }
  }

 private:
  static Event cancelled(Stage stage) {
    return http::Failure{.stage = stage, .cause = Cause::cancelled, .body_left = false, .text = {}};
  }
  static Event threw(const std::string& what) {
    return http::Failure{.stage = Stage::send,
                         .cause = Cause::other,
                         .body_left = true,
                         .text = "the transport threw an exception: " + what};
  }
};

}  // namespace

Done run(Exchange& exchange, const BlockingIo& io) {
  const Perform perform{exchange, io};
  Action action = exchange.next(Go{}, read_clocks());
  while (!std::holds_alternative<Done>(action)) {
    const Send* send = std::get_if<Send>(&action);
    Event event = send ? perform(*send) : perform(GetToken{});
    action = exchange.next(std::move(event), read_clocks());
  }
  return std::get<Done>(std::move(action));
}

Now read_clocks() noexcept {
  return {std::chrono::steady_clock::now(),
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

}  // namespace connectid::inline v0::detail
