#include "call/blocking_driver.hpp"

#include <exception>
#include <utility>

#include "base/pause.hpp"

namespace connectid::inline v0::detail {
namespace {

/// The I/O of one call: an action goes in, what came of it comes out.
class Perform {
 public:
  Perform(const Exchange& exchange, const BlockingIo& io) : exchange_(exchange), io_(io) {}

  Event operator()(Action& action) {
    if (auto* what = std::get_if<GetToken>(&action)) return get_token(*what);
    if (auto* what = std::get_if<Wait>(&action)) return wait(*what);
    if (auto* what = std::get_if<WriteDown>(&action)) return write_down(*what);
    return send(std::move(std::get<Send>(action)));
  }

  /// So that it is given to no other call. A function of the user's is not called for that: it might block.
  void tell_what_was_refused(const Done& done) const {
    if (done.refused.empty() || io_.token_source.may_block()) return;
    try {
      static_cast<void>(io_.token_source.get({.refused = done.refused, .api_url = io_.api_url}, nullptr));
    } catch (...) {  // what became of the call is as true without it
    }
  }

  void tell_the_end(const Done& done) const {
    if (!told_journal_) return;
    try {
      io_.journal->ended(exchange_.journal_call(), done.error ? done.error->outcome() : Outcome::succeeded);
    } catch (...) {  // what became of the call is as true without it
    }
  }

 private:
  Event get_token(GetToken& get) const {
    if (io_.stop.stop_requested()) return Stopped{Stage::prepare};
    try {
      const TokenRequest request{.deadline = exchange_.deadline(),
                                 .stop = io_.stop,
                                 .refused = std::move(get.refused),
                                 .api_url = io_.api_url};
      Result<AccessToken> token = io_.token_source(request);
      if (io_.stop.stop_requested()) return Stopped{Stage::token};
      if (token) return *std::move(token);
      return NoToken{token.error()};
    } catch (...) {
      // Not what(): a message of the user's own may hold the secret that was refused.
      return NoToken{Error(Outcome::not_sent, TokenError{}, "the token source threw an exception")};
    }
  }

  Event wait(const Wait& pause) const {
    pause_until(pause.until, io_.stop);
    if (io_.stop.stop_requested()) return Stopped{Stage::pause};
    return Go{};
  }

  Event write_down(const WriteDown& write) {
    if (!io_.journal) return WrittenDown{};
    try {
      told_journal_ = true;
      const Result<void> written = io_.journal->sending(exchange_.journal_call(), write.attempt);
      if (!written) return NotWrittenDown{written.error().message()};
      if (io_.stop.stop_requested()) return Stopped{Stage::prepare};
      return WrittenDown{};
    } catch (const std::exception& thrown) {
      return NotWrittenDown{std::string("the journal threw an exception: ") + thrown.what()};
    } catch (...) {
      return NotWrittenDown{"the journal threw an exception of no standard type"};
    }
  }

  Event send(Send send) const {
    try {
      http::AttemptResult result =
          io_.transport.perform(*send.request, {.deadline = send.deadline,
                                                .connect_timeout = io_.connect_timeout,
                                                .stop = io_.stop_ends_attempts ? io_.stop : std::stop_token(),
                                                .connection = std::move(send.connection)});
      return std::visit([](auto& what) -> Event { return std::move(what); }, result);
    } catch (const std::exception& thrown) {
      return threw(thrown.what());
    } catch (...) {
      return threw("of no standard type");
    }
  }

  static Event threw(const std::string& what) {
    return http::Failure{.stage = Stage::send,
                         .cause = Cause::other,
                         .body_left = true,
                         .text = "the transport threw an exception: " + what};
  }

  const Exchange& exchange_;
  const BlockingIo& io_;
  bool told_journal_ = false;
};

}  // namespace

Done run(Exchange& exchange, const BlockingIo& io) {
  Perform perform(exchange, io);
  Admission admission(io.shared);
  Action action = admission.next(exchange, Go{}, read_clocks());
  while (!std::holds_alternative<Done>(action)) {
    Event event = perform(action);
    action = admission.next(exchange, std::move(event), read_clocks());
  }
  perform.tell_the_end(std::get<Done>(action));
  perform.tell_what_was_refused(std::get<Done>(action));
  return std::get<Done>(std::move(action));
}

Now read_clocks() noexcept {
  return {std::chrono::steady_clock::now(),
          std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now())};
}

}  // namespace connectid::inline v0::detail
