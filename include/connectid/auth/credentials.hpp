#pragma once

#include <functional>
#include <memory>
#include <string>

#include <connectid/environment.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>

namespace connectid::inline v0::auth {

/// How a client proves who it is. Which one an authorization server takes is agreed with the vendor: it is never found
/// out by trying, for a refused try can spend what it carried.
enum class ClientAuthentication {
  basic,  ///< HTTP Basic, id and secret form-encoded (RFC 6749 section 2.3.1)
  body,   ///< `client_id` and `client_secret` among the form's parameters
};

/// Who asks for tokens, where, and how. Fill it with designated initialisers.
struct Credentials {
  /// Whose authorization server is asked, and whose API the tokens are for: they are given to no other.
  Environment environment = Environment::production();
  std::string client_id = {};  ///< as the vendor has given it; never empty
  /// Empty: a public client, which only says its `client_id`, in the form.
  Secret client_secret = {};
  ClientAuthentication client_authentication = ClientAuthentication::basic;  ///< as agreed with the vendor
  /// None: a CurlTransport with its default options, of each source's own. Many sources share one by naming it.
  std::shared_ptr<http::Transport> transport = nullptr;
  /// Gives the secret in place of `client_secret`, from a vault: called before each request for tokens, in the thread
  /// that renews, several at once. With the store's own time it ends within `Renewal::timeout`, or the
  /// refresh token is not sent. What it throws breaks the renewal off.
  std::function<Result<Secret>()> client_secret_from = {};
};

}  // namespace connectid::inline v0::auth
