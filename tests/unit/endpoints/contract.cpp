// What must hold for every endpoint, told by its declaration alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <connectid/testing/fake_server.hpp>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

#include "endpoints/endpoint.hpp"
#include "support/endpoint_json.hpp"
#include "testing/routes/api.hpp"

namespace connectid::detail {
namespace {

using ::testing::HasSubstr;
using json = nlohmann::ordered_json;

constexpr std::int64_t a_time = 1'560'336'440'000;

std::string valid_text(const Rules& rules) {
  if (!rules.one_of.empty()) return std::string(rules.one_of.substr(0, rules.one_of.find(' ')));
  return std::string(std::max<std::size_t>(rules.longest, 1), 'x');
}

/// A request, each of whose fields is given and valid; or all but one.
class Requested {
 public:
  explicit Requested(const Endpoint& endpoint, const Field* without = nullptr) : made_(endpoint.request.make()) {
    object = endpoint.request.object(made_);
    std::int64_t later = a_time;
    for (const Field& field : endpoint.request.fields) {
      if (&field == without) continue;
      switch (field.type) {
        case Type::text:
          text(field) = valid_text(field.rules);
          break;
        case Type::integer:
          integer(field) = std::max<std::int64_t>(field.rules.least, 7);
          break;
        case Type::time:
          get<std::optional<Timestamp>>(field, object) = Timestamp{std::chrono::milliseconds{++later}};
          break;
        case Type::boolean:
          get<std::optional<bool>>(field, object) = true;
          break;
        default:
          ADD_FAILURE() << field.name << ": no request has a field of this type";
      }
    }
  }

  std::string& text(const Field& field) { return get<std::string>(field, object); }
  std::optional<std::int64_t>& integer(const Field& field) { return get<std::optional<std::int64_t>>(field, object); }

  void* object = nullptr;

 private:
  std::any made_;
};

testing::detail::Ruling sent(const Endpoint& endpoint, const void* request) {
  return testing::detail::rule(
      {.method = std::string(endpoint.method),
       .path = target(endpoint, request),
       .headers = {{"Authorization", "Bearer t"}},
       .body = body(endpoint, request)},
      [](const std::string&) { return "somebody"; }, [] { return std::vector<testing::StartedSubscription>(); });
}

class EveryEndpoint : public ::testing::TestWithParam<const Endpoint*> {
 protected:
  const Endpoint& endpoint = *GetParam();
  std::span<const Field> fields = endpoint.request.fields;

  void expect_refused(const Field& field, const char* rule, const void* request) {
    const auto found = violations(endpoint, request);
    ASSERT_EQ(found.size(), 1U) << field.name;
    EXPECT_EQ(found[0].field, field.name);
    EXPECT_EQ(found[0].rule, rule);
    if (field.rules.in == In::path) return;
    const auto ruling = sent(endpoint, request);
    EXPECT_EQ(ruling.response.status, 400);
    EXPECT_THAT(ruling.response.body, HasSubstr(std::string(field.name)));
  }
};

TEST_P(EveryEndpoint, has_a_sound_declaration) {
  EXPECT_TRUE(endpoint.path.starts_with("/v1/"));
  EXPECT_EQ(endpoint.scope == Scope::client, endpoint.path.starts_with("/v1/client/"));
  EXPECT_EQ(endpoint.idempotency == Idempotency::safe, endpoint.method == "GET");
  EXPECT_FALSE(endpoint.success_statuses.empty());
  const auto& responses = endpoint.response.fields;
  EXPECT_NE(std::ranges::find(responses, endpoint.confirmation.field, &Field::name), responses.end());
  std::set<std::string_view> names;
  for (const Field& field : fields) {
    EXPECT_TRUE(names.insert(field.name).second) << field.name;
    const bool in_path = endpoint.path.find("{" + std::string(field.name) + "}") != std::string_view::npos;
    EXPECT_EQ(field.rules.in == In::path, in_path) << field.name;
    if (in_path) EXPECT_TRUE(field.rules.required) << field.name;
    if (field.rules.in == In::body) EXPECT_NE(endpoint.method, "GET") << field.name;
    if (!field.rules.after.empty()) EXPECT_TRUE(names.contains(field.rules.after)) << field.name;
  }
}

TEST_P(EveryEndpoint, writes_a_valid_request_that_the_server_accepts_with_a_success) {
  const Requested request(endpoint);
  EXPECT_TRUE(violations(endpoint, request.object).empty());
  EXPECT_EQ(body(endpoint, request.object), expected_body(endpoint, request.object));
  const auto ruling = sent(endpoint, request.object);
  EXPECT_EQ(ruling.response.status, 200) << ruling.response.body;
  EXPECT_EQ(decode(endpoint, ruling.response.body).reason, "");
}

TEST_P(EveryEndpoint, refuses_a_request_without_a_required_field_and_so_does_the_server) {
  for (const Field& field : fields) {
    const Requested request(endpoint, &field);
    if (field.rules.required) {
      expect_refused(field, "required", request.object);
    } else {
      EXPECT_TRUE(violations(endpoint, request.object).empty()) << field.name;
    }
  }
}

TEST_P(EveryEndpoint, refuses_values_beyond_the_limits_and_so_does_the_server) {
  for (const Field& field : fields) {
    Requested request(endpoint);
    if (field.type == Type::text && !field.rules.one_of.empty()) {
      request.text(field) = "NONE OF THEM";
      expect_refused(field, "range", request.object);
    } else if (field.type == Type::text && field.rules.longest > 0) {
      request.text(field) += "x";
      expect_refused(field, "max_length", request.object);
    } else if (field.type == Type::integer && field.rules.least > std::numeric_limits<std::int64_t>::min()) {
      request.integer(field) = field.rules.least - 1;
      expect_refused(field, "range", request.object);
    } else if (!field.rules.after.empty()) {
      get<std::optional<Timestamp>>(field, request.object) = Timestamp{std::chrono::milliseconds{a_time}};
      expect_refused(field, "order", request.object);
    }
  }
}

TEST_P(EveryEndpoint, takes_its_documented_successes_alone) {
  const auto reason = [&](const json& said) { return decode(endpoint, said.dump()).reason; };
  const std::string name(endpoint.confirmation.field);
  json success = {
      {name, endpoint.confirmation.value.empty() ? json::array() : json(std::string(endpoint.confirmation.value))}};
  success["a_new_field"] = {{"error", 1}, {name, 7}};
  EXPECT_EQ(reason(success), "");
  for (const char* failure : {"exceptionType", "errorMessage", "error"}) {
    json failed = success;
    failed[failure] = "no";
    EXPECT_EQ(reason(failed), std::string("holds ") + failure);
  }
  success["success"] = false;
  EXPECT_EQ(reason(success), "has another success than true");
  EXPECT_EQ(reason({{"something", "else"}}), "has no " + name);
  const auto row = std::ranges::find(endpoint.response.fields, endpoint.confirmation.field, &Field::name);
  for (const json& no_object : {json(), json(5), json("ERROR"), json(true), json::array({"x"}),
                                json::array({json::array()}), json::array({nullptr}), json::object()}) {
    if (row->at) EXPECT_EQ(reason({{name, no_object}}), "has no objects in " + name) << no_object;
  }
  EXPECT_EQ(decode(endpoint, "").reason.empty(), endpoint.confirmation.may_be_empty);
  EXPECT_EQ(decode(endpoint, "{}").reason.empty(), endpoint.confirmation.may_be_empty);
}

/// Every field of the table that stands in the JSON is in the object, as other code reads it: a number may be a text, a
/// list's only object may stand for the list, and a list of one object for the object.
void expect_read(std::span<const Field> fields, void* object, const json& from, std::set<const Field*>& seen) {
  for (const Field& field : fields) {
    const auto at = from.find(std::string(field.name));
    if (at == from.end() || at->is_null()) continue;
    SCOPED_TRACE(field.name);
    seen.insert(&field);
    const std::string text = at->is_string() ? at->get<std::string>() : at->dump();
    if (field.type == Type::text) EXPECT_EQ(get<std::string>(field, object), text);
    if (field.type == Type::optional_text) EXPECT_EQ(get<std::optional<std::string>>(field, object), text);
    if (field.type == Type::boolean) EXPECT_EQ(get<std::optional<bool>>(field, object), at->get<bool>());
    if (field.type == Type::integer) EXPECT_EQ(get<std::optional<std::int64_t>>(field, object), std::stoll(text));
    if (field.type == Type::time) {
      EXPECT_EQ(get<std::optional<Timestamp>>(field, object), Timestamp{std::chrono::milliseconds{std::stoll(text)}});
    }
    if (field.at == nullptr) continue;
    const json objects = at->is_array() ? *at : json::array({*at});
    for (std::size_t i = 0; i < objects.size(); ++i) {
      expect_read(field.rules.fields, field.at(field.member(object), i), objects[i], seen);
    }
  }
}

void expect_all_seen(std::span<const Field> fields, const std::set<const Field*>& seen) {
  for (const Field& field : fields) {
    EXPECT_TRUE(seen.contains(&field)) << field.name << " stands in no example";
    expect_all_seen(field.rules.fields, seen);
  }
}

TEST_P(EveryEndpoint, reads_its_examples) {
  std::string name(endpoint.title);
  for (char& c : name) c = c == ' ' || c == '-' ? '_' : static_cast<char>(std::tolower(c));
  std::ifstream file(CONNECTID_SOURCE_DIR "/tests/unit/endpoints/examples/" + name + ".json");
  ASSERT_TRUE(file) << name;
  std::set<const Field*> seen;
  for (const json& example : json::parse(file)) {
    Reading reading = decode(endpoint, example.dump());
    EXPECT_EQ(reading.reason, "") << example;
    expect_read(endpoint.response.fields, endpoint.response.object(reading.value), example, seen);
  }
  expect_all_seen(endpoint.response.fields, seen);
}

std::vector<const Endpoint*> all() {
  const auto endpoints = all_endpoints();
  return {endpoints.begin(), endpoints.end()};
}

INSTANTIATE_TEST_SUITE_P(Table, EveryEndpoint, ::testing::ValuesIn(all()), [](const auto& row) {
  std::string name(row.param->title);
  std::ranges::replace_if(
      name, [](char c) { return c == ' ' || c == '-'; }, '_');
  return name;
});

}  // namespace
}  // namespace connectid::detail
