#pragma once

#include <connectid/call.hpp>
#include <connectid/environment.hpp>
#include <connectid/error.hpp>
#include <connectid/export.hpp>
#include <connectid/http/curl_transport.hpp>
#include <connectid/http/transport.hpp>
#include <connectid/local_time.hpp>
#include <connectid/result.hpp>
#include <connectid/secret.hpp>
#include <connectid/stage.hpp>
#include <connectid/start_subscription.hpp>
#include <connectid/subscription_client.hpp>
#include <connectid/timestamp.hpp>
#include <connectid/token_source.hpp>
#include <connectid/version.hpp>
