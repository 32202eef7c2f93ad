#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "endpoints/endpoint.hpp"

namespace connectid::detail {
namespace {

std::string type(const Field& field) {
  switch (field.type) {
    case Type::text:
    case Type::optional_text:
      return "string";
    case Type::integer:
      return field.rules.may_be_text ? "integer, or a string" : "integer";
    case Type::number:
      return "number";
    case Type::boolean:
      return "boolean";
    case Type::time:
      return "integer: milliseconds since 1970-01-01 UTC";
    case Type::object:
      return "object";
    case Type::list:
      return "list of objects";
  }
  return "";
}

std::string limit(const Rules& rules) {
  if (!rules.one_of.empty()) return "one of " + std::string(rules.one_of);
  if (rules.longest > 0) return "≤ " + std::to_string(rules.longest) + " characters";
  if (rules.least > std::numeric_limits<std::int64_t>::min()) return "≥ " + std::to_string(rules.least);
  return rules.after.empty() ? "" : "after `" + std::string(rules.after) + "`";
}

void list(std::ostream& page, std::span<const Field> fields, const std::string& within) {
  for (const Field& field : fields) {
    page << "| `" << within << field.name << "` | " << type(field) << " |\n";
    list(page, field.rules.fields, within + std::string(field.name) + (field.type == Type::list ? "[]." : "."));
  }
}

void describe(std::ostream& page, const Endpoint& endpoint) {
  constexpr const char* places[] = {"body", "query", "path"};
  page << "\n## " << endpoint.title << "\n\n`" << endpoint.method << ' ' << endpoint.path << "`, with a "
       << (endpoint.scope == Scope::customer ? "customer's" : "client's") << " access token. "
       << (endpoint.idempotency == Idempotency::safe ? "It only reads: it is retried freely, and written in no journal."
                                                     : "What may have acted is not retried.")
       << "\n\n| field | in | type | required | limit |\n| --- | --- | --- | --- | --- |\n";
  for (const Field& field : endpoint.request.fields) {
    page << "| `" << field.name << "` | " << places[static_cast<int>(field.rules.in)] << " | " << type(field) << " | "
         << (field.rules.required ? "yes" : "no") << " | " << limit(field.rules) << " |\n";
  }
  page << "\n| field of the response | type |\n| --- | --- |\n";
  list(page, endpoint.response.fields, "");
}

TEST(EndpointsPage, docs_endpoints_md_is_current) {
  std::ostringstream page;
  page << "# Endpoints\n\nGenerated from the declarations in `src/endpoints`. How surely each fact is known: "
          "[api-facts.md](api-facts.md).\n";
  for (const Endpoint* endpoint : all_endpoints()) describe(page, *endpoint);
  const std::string path = CONNECTID_SOURCE_DIR "/docs/endpoints.md";
  if (std::getenv("CONNECTID_WRITE_DOCS")) std::ofstream(path) << page.str();
  std::ostringstream written;
  written << std::ifstream(path).rdbuf();
  EXPECT_EQ(written.str(), page.str()) << "docs/endpoints.md is not current: run scripts/docs.sh tables";
}

}  // namespace
}  // namespace connectid::detail
