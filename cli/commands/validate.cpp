#include <memory>

#include "commands/command.hpp"
#include "input/request.hpp"

namespace connectid::cli {

Command commands::validate(CLI::App& app) {
  const auto arguments = std::make_shared<RequestArguments>();
  add_request(app, *arguments);
  add_output(app);
  Notes notes{.summary = "Check a request and print the exact body; nothing is sent",
              .paragraphs = {"Takes the same input as connectid start, and needs neither a token nor a network. Prints "
                             "the body that would be sent, which connectid start --json takes. Its times in the zone "
                             "go to standard error.",
                             one_json_object},
              .statuses = {{"0", "Valid."},
                           {"1", internal_error},
                           {"2", "Not valid, or usage error."},
                           {"7", "A signal came before the request was read."}},
              .examples = {"connectid validate --json draft.json --start-date 2026-04-01 >order.json"}};
  const auto run = [arguments](const Context& context) {
    context.asked.take(*arguments, context.stop);
    if (!context.asked.request) return report_interrupted(context.asked);
    return report_validation(context.asked, connectid::validate(*context.asked.request));
  };
  return {std::move(notes), run};
}

}  // namespace connectid::cli
