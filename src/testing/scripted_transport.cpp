#include <connectid/testing/scripted_transport.hpp>

#include <utility>

namespace connectid::inline v0::testing {

void ScriptedTransport::reply(http::Reply reply) {
  const std::lock_guard lock(mutex_);
  replies_.push_back(std::move(reply));
}

std::vector<http::Request> ScriptedTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

http::Reply ScriptedTransport::perform(const http::Request& request, const http::Limits& /*limits*/) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  if (replies_.empty()) {
    return http::Failure{.cause = Cause::configuration,  // final: a repeat would find no reply, either
                         .body_left = false,
                         .text = "ScriptedTransport has no reply left for " + request.method + " " + request.url};
  }
  http::Reply reply = std::move(replies_.front());
  replies_.pop_front();
  return reply;
}

http::Answer http_answer(int status, std::string body, http::Headers headers) {
  return {
      .status = status, .headers = std::move(headers), .body = std::move(body), .framed = true, .cut = std::nullopt};
}

}  // namespace connectid::inline v0::testing
