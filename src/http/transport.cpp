#include <connectid/http/transport.hpp>

namespace connectid::inline v0::http {

void Transport::submit(const Request& request, const Limits& limits, Completion done) {
  done(perform(request, limits));
}

}  // namespace connectid::inline v0::http
