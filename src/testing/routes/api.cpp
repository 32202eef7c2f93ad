#include "testing/routes/api.hpp"

#include <algorithm>
#include <any>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/number.hpp"
#include "endpoints/endpoint.hpp"
#include "testing/routes/form.hpp"
#include "testing/routes/subscription.hpp"

namespace connectid::inline v0::testing::detail {
namespace {

using connectid::detail::Endpoint;
using connectid::detail::Field;
using connectid::detail::get;
using connectid::detail::In;
using connectid::detail::Type;
using nlohmann::json;
using HttpResponse = Script::HttpResponse;

HttpResponse not_valid(const std::string& message) { return refusal(400, "ValidationException", message); }

HttpResponse unauthorized() {
  const json body = {{"error", "invalid_token"}, {"error_description", "The access token is missing or not valid"}};
  return {.status = 401, .body = body.dump(), .headers = {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}}};
}

std::optional<std::int64_t> whole_number(const json& value, bool may_be_text) {
  if (may_be_text && value.is_string()) {
    return connectid::detail::number_in<std::int64_t>(value.get_ref<const std::string&>());
  }
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) return std::nullopt;
  return value.get<std::int64_t>();
}

/// Puts a value where its field is; why it cannot be there, or null.
const char* put(const Field& field, const json& value, bool may_be_text, void* request) {
  const auto number = whole_number(value, may_be_text);
  switch (field.type) {
    case Type::text:
      if (value.is_string()) get<std::string>(field, request) = value.get<std::string>();
      return value.is_string() ? nullptr : " must be a string";
    case Type::integer:
      get<std::optional<std::int64_t>>(field, request) = number;
      if (number) return nullptr;
      return may_be_text ? " must be an integer, or a string that holds one" : " must be an integer";
    case Type::time:
      if (number) get<std::optional<Timestamp>>(field, request) = Timestamp{std::chrono::milliseconds{*number}};
      return number ? nullptr : " must be an integer";
    default:
      return nullptr;
  }
}

std::optional<std::string> parameter(const Parameters& parameters, const Field& field) {
  const auto found = parameters.find(std::string(field.name));
  return found == parameters.end() ? std::nullopt : std::optional(found->second);
}

/// Reads a request's fields; what is wrong with their types.
std::string read(const Endpoint& endpoint, const json& body, const Parameters& parameters, void* request) {
  std::string complaints;
  for (const Field& field : endpoint.request.fields) {
    const char* complaint = nullptr;
    if (field.rules.in != In::body) {
      if (const auto text = parameter(parameters, field)) complaint = put(field, *text, true, request);
    } else if (const auto at = body.find(std::string(field.name)); at != body.end()) {
      complaint = put(field, *at, field.rules.may_be_text, request);
    }
    if (complaint) complaints.append(complaints.empty() ? "" : "; ").append(field.name).append(complaint);
  }
  return complaints;
}

/// The parameters of a path that fits an endpoint's; none: it is another's.
std::optional<Parameters> match(std::string_view pattern, std::string_view path) {
  if (std::ranges::count(pattern, '/') != std::ranges::count(path, '/')) return std::nullopt;
  Parameters found;
  while (!pattern.empty() && !path.empty()) {
    const auto [expected, more_pattern] = split(pattern, '/');
    const auto [segment, more_path] = split(path, '/');
    const auto value = form_decoded(segment);
    if (!value) return std::nullopt;
    if (expected.starts_with('{')) {
      found.emplace(expected.substr(1, expected.size() - 2), *value);
    } else if (expected != segment) {
      return std::nullopt;
    }
    pattern = more_pattern;
    path = more_path;
  }
  return pattern.empty() && path.empty() ? std::optional(found) : std::nullopt;
}

/// What the rest of the rules need: the declaration, and what came with it.
struct Matched {
  const Endpoint* endpoint = nullptr;
  Parameters parameters = {};
};

std::optional<Matched> find(const ReceivedRequest& request) {
  const auto [path, query] = split(request.path, '?');
  for (const Endpoint* endpoint : connectid::detail::all_endpoints()) {
    auto parameters = endpoint->method == request.method ? match(endpoint->path, path) : std::nullopt;
    if (!parameters) continue;
    parameters->merge(read_form(query).value_or(Parameters()));
    return Matched{endpoint, *std::move(parameters)};
  }
  return std::nullopt;
}

}  // namespace

HttpResponse refusal(int status, const char* exception_type, const std::string& message) {
  const json body = {{"exceptionType", exception_type}, {"errorMessage", message}};
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace), .headers = {}};
}

Ruling rule(const ReceivedRequest& request, const AccountOf& account_of, const Started& started) {
  const auto matched = find(request);
  if (!matched) return {refusal(404, "NotFoundException", "No such resource: " + request.method + " " + request.path)};
  const std::string authorization = field_of(request.headers, "Authorization");
  const std::string_view scheme = "Bearer ";
  const auto account =
      authorization.starts_with(scheme) ? account_of(authorization.substr(scheme.size())) : std::nullopt;
  if (!account) return {unauthorized()};

  const Endpoint& endpoint = *matched->endpoint;
  const bool has_body =
      std::ranges::any_of(endpoint.request.fields, [](const Field& f) { return f.rules.in == In::body; });
  const json body = has_body ? json::parse(request.body, nullptr, false) : json::object();
  if (!body.is_object()) return {not_valid("The body must be a JSON object")};
  std::any made = endpoint.request.make();
  void* const fields = endpoint.request.object(made);
  if (const auto complaints = read(endpoint, body, matched->parameters, fields); !complaints.empty()) {
    return {not_valid(complaints)};
  }
  if (const auto broken = connectid::detail::violations(endpoint, fields); !broken.empty()) {
    return {not_valid(connectid::detail::sentence(broken))};
  }
  return act(endpoint, fields, {.call_id = field_of(request.headers, "X-Request-Id"), .account = *account}, started);
}

}  // namespace connectid::inline v0::testing::detail
