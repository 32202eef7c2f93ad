#include "call/error_body.hpp"

#include <nlohmann/json.hpp>

#include "base/text.hpp"

namespace connectid::inline v0::detail {

using nlohmann::json;

Refusal decode_refusal(std::string_view body, const std::function<std::string(std::string)>& without_secrets) {
  constexpr std::size_t longest = 1000;
  constexpr std::size_t excerpt = 200;
  const json parsed = json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto show = [&](std::string_view text, std::size_t limit) {
    return printable(without_secrets(std::string(text)), limit);
  };
  const auto text = [&](const char* name) -> std::string {
    if (!parsed.is_object()) return {};
    const auto field = parsed.find(name);
    if (field == parsed.end() || !field->is_string()) return {};
    return show(field->get_ref<const std::string&>(), longest);
  };
  const std::string error = text("error");
  ServerMessage message{.exception_type = text("exceptionType"), .error_message = text("errorMessage")};
  const bool of_the_application = !message.exception_type.empty() || !message.error_message.empty() || !error.empty();
  if (message.exception_type.empty()) message.exception_type = error;
  if (message.error_message.empty()) message.error_message = text("error_description");
  if (message.exception_type.empty() && message.error_message.empty()) message.body_excerpt = show(body, excerpt);
  return {.message = std::move(message), .oauth_error = !error.empty(), .of_the_application = of_the_application};
}

}  // namespace connectid::inline v0::detail
