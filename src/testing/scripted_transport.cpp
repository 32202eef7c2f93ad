#include <connectid/testing/scripted_transport.hpp>

#include <utility>

namespace connectid::inline v0::testing {

void ScriptedTransport::respond(http::AttemptResult result) {
  const std::lock_guard lock(mutex_);
  results_.push_back(std::move(result));
}

std::vector<http::Request> ScriptedTransport::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

http::AttemptResult ScriptedTransport::perform(const http::Request& request, const http::Limits& /*limits*/) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  if (results_.empty()) {
    return http::Failure{.cause = Cause::configuration,  // final: a repeat would find no response, either
                         .body_left = false,
                         .text = "ScriptedTransport has no response left for " + request.method + " " + request.url};
  }
  http::AttemptResult result = std::move(results_.front());
  results_.pop_front();
  return result;
}

http::Response http_response(int status, std::string body, http::Headers headers) {
  return {.status = status,
          .headers = std::move(headers),
          .body = std::move(body),
          .framed = true,
          .truncated = std::nullopt};
}

}  // namespace connectid::inline v0::testing
