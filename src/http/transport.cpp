#include <connectid/http/transport.hpp>

namespace connectid::http {

void Transport::submit(const Request& request, const Limits& limits, Completion done) {
  done(perform(request, limits));
}

}  // namespace connectid::http
