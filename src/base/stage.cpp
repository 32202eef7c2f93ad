#include <connectid/stage.hpp>

namespace connectid::inline v0 {

std::string_view to_string(Stage stage) noexcept {
  switch (stage) {
    case Stage::prepare:
      return "prepare";
    case Stage::token:
      return "token";
    case Stage::pause:
      return "pause";
    case Stage::resolve:
      return "resolve";
    case Stage::connect:
      return "connect";
    case Stage::handshake:
      return "handshake";
    case Stage::send:
      return "send";
    case Stage::wait:
      return "wait";
    case Stage::receive:
      return "receive";
  }
  return "?";
}

std::string_view to_string(Cause cause) noexcept {
  switch (cause) {
    case Cause::timed_out:
      return "timed_out";
    case Cause::cancelled:
      return "cancelled";
    case Cause::unresolved:
      return "unresolved";
    case Cause::unreachable:
      return "unreachable";
    case Cause::certificate:
      return "certificate";
    case Cause::tls:
      return "tls";
    case Cause::proxy_refused:
      return "proxy_refused";
    case Cause::proxy_denied:
      return "proxy_denied";
    case Cause::closed:
      return "closed";
    case Cause::reset:
      return "reset";
    case Cause::stray_response:
      return "stray_response";
    case Cause::malformed:
      return "malformed";
    case Cause::too_large:
      return "too_large";
    case Cause::configuration:
      return "configuration";
    case Cause::other:
      return "other";
  }
  return "?";
}

}  // namespace connectid::inline v0
