#include "testing/routes/subscription.hpp"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace connectid::inline v0::testing::detail {
namespace {

using nlohmann::json;
using HttpResponse = Script::HttpResponse;

HttpResponse not_valid(const std::string& message) { return refusal(400, "ValidationException", message); }

HttpResponse unauthorized() {
  const json body = {{"error", "invalid_token"}, {"error_description", "The access token is missing or not valid"}};
  return {.status = 401, .body = body.dump(), .headers = {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}}};
}

std::optional<std::int64_t> whole_number(const std::string& text) {
  std::int64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, number);
  return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> whole_number(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  if (value.is_number_unsigned() && !std::in_range<std::int64_t>(value.get<std::uint64_t>())) return std::nullopt;
  return value.get<std::int64_t>();
}

/// Reads the fields of a JSON object and gathers what is wrong with their types.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  std::string text(const char* name) {
    const json* const value = find(name);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    complain(name, " must be a string");
    return {};
  }

  std::optional<std::int64_t> integer(const char* name) {
    const json* const value = find(name);
    if (value == nullptr) return std::nullopt;
    const auto number = whole_number(*value);
    if (!number) complain(name, " must be an integer");
    return number;
  }

  /// The reference's table says integer, its example shows a string.
  std::optional<std::int64_t> integer_or_text(const char* name) {
    const json* const value = find(name);
    if (value == nullptr || !value->is_string()) return integer(name);
    const auto number = whole_number(value->get_ref<const std::string&>());
    if (!number) complain(name, " must be an integer, or a string that holds one");
    return number;
  }

  std::optional<Timestamp> time(const char* name) {
    const auto count = integer(name);
    return count ? std::optional(Timestamp{std::chrono::milliseconds{*count}}) : std::nullopt;
  }

  [[nodiscard]] const std::string& complaints() const noexcept { return complaints_; }

 private:
  const json* find(const char* name) const {
    const auto at = object_.find(name);
    return at == object_.end() ? nullptr : &*at;
  }

  void complain(const char* name, const char* rule) {
    if (!complaints_.empty()) complaints_ += "; ";
    complaints_.append(name).append(rule);
  }

  const json& object_;
  std::string complaints_;
};

StartSubscriptionRequest decode(Fields& fields) {
  return {
      .company_code = fields.text("companyCode"),
      .product = fields.text("product"),
      .start_time = fields.time("startTime"),
      .end_time = fields.time("endTime"),
      .copies = fields.integer_or_text("copies"),
      .coupon_code = fields.text("couponCode"),
      .coupon_number = fields.integer("couponNumber"),
      .customer_reference = fields.text("customerReference"),
  };
}

std::string sentence(const std::vector<Violation>& violations) {
  std::string all;
  for (const Violation& violation : violations) {
    if (!all.empty()) all += "; ";
    all += violation.message;
  }
  return all;
}

Ruling start_subscription(const std::string& text) {
  const json body = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!body.is_object()) return {not_valid("The body must be a JSON object"), std::nullopt};
  Fields fields(body);
  StartSubscriptionRequest request = decode(fields);
  if (!fields.complaints().empty()) return {not_valid(fields.complaints()), std::nullopt};
  if (const auto violations = validate(request); !violations.empty()) {
    return {not_valid(sentence(violations)), std::nullopt};
  }
  return {{.status = 200, .body = R"({"status":"OK"})", .headers = {}},
          StartedSubscription{.request = std::move(request)}};
}

std::string field_of(const http::Headers& headers, std::string_view name) {
  const std::string* const value = http::find(headers, name);
  return value == nullptr ? std::string() : *value;
}

}  // namespace

HttpResponse refusal(int status, const char* exception_type, const std::string& message) {
  const json body = {{"exceptionType", exception_type}, {"errorMessage", message}};
  return {.status = status, .body = body.dump(-1, ' ', false, json::error_handler_t::replace), .headers = {}};
}

Ruling rule(const ReceivedRequest& request,
            const std::function<std::optional<std::string>(const std::string&)>& account_of) {
  if (request.method != "POST" || request.path != "/v1/subscription") {
    return {refusal(404, "NotFoundException", "No such resource: " + request.method + " " + request.path)};
  }
  const std::string authorization = field_of(request.headers, "Authorization");
  const std::string scheme = "Bearer ";
  const auto account =
      authorization.starts_with(scheme) ? account_of(authorization.substr(scheme.size())) : std::nullopt;
  if (!account) return {unauthorized()};
  Ruling ruling = start_subscription(request.body);
  if (ruling.started) {
    ruling.started->call_id = field_of(request.headers, "X-Request-Id");
    ruling.started->account = *account;
  }
  return ruling;
}

}  // namespace connectid::inline v0::testing::detail
