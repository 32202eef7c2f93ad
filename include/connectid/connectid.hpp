#pragma once

#include <connectid/auth/accounts.hpp>
#include <connectid/auth/credentials.hpp>
#include <connectid/auth/file_token_store.hpp>
#include <connectid/auth/oauth_sources.hpp>
#include <connectid/auth/token_source.hpp>
#include <connectid/auth/token_store.hpp>
#include <connectid/call_info.hpp>
#include <connectid/environment.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/http/curl_transport.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/journal/file_journal.hpp>
#include <connectid/journal/journal.hpp>
#include <connectid/local_time.hpp>
#include <connectid/options.hpp>
#include <connectid/rate_limit/rate_limit.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>
#include <connectid/stage.hpp>
#include <connectid/subscription/start_subscription.hpp>
#include <connectid/subscription/subscription_client.hpp>
#include <connectid/timestamp.hpp>
#include <connectid/version.hpp>

/// @namespace connectid
/// The library. `SubscriptionClient` is the front door; `StartSubscriptionRequest` goes in, `Result` comes out. Names
/// are the API's own words in C++ spelling. What of this is promised from version to version: docs/compatibility.md.

/// @namespace connectid::auth
/// Sources of access tokens that renew them, who asks for them, and where they are kept.

/// @namespace connectid::http
/// The seam to the network: `Transport`, and the one on libcurl. For those who bring a transport of their own.

/// @namespace connectid::testing
/// Test doubles for your own tests: a server on loopback that fails on command, and a transport without sockets. In the
/// CMake component `testing`; none of it is part of the library itself.
