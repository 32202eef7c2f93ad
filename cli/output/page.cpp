#include "output/page.hpp"

#include <CLI/CLI.hpp>

namespace connectid::cli {
namespace {

std::vector<std::string> names_of(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  return names;
}

Flag flag_of(const CLI::Option& option) {
  Flag flag{.names = names_of(option), .value = {}, .text = option.get_description(), .excludes = {}};
  if (option.get_items_expected_max() > 0) flag.value = option.get_type_name();
  if (!option.get_default_str().empty()) flag.text += " (default: " + option.get_default_str() + ")";
  for (const CLI::Option* other : option.get_excludes()) {
    for (const std::string& name : names_of(*other)) {
      flag.excludes.push_back(name);
      flag.text += " (not with " + name + ")";
    }
  }
  return flag;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent ? full_name(*parent) + " " : "") + command.get_name();
}

}  // namespace

std::string joined(const std::vector<std::string>& words, const std::string& between) {
  return CLI::detail::join(words, between);
}

std::vector<std::string> Flag::choices() const {
  return value.find('|') == std::string::npos ? std::vector<std::string>{} : CLI::detail::split(value, '|');
}

Page page_of(const CLI::App& command) {
  Page page{.name = full_name(command),
            .summary = command.get_description(),
            .flags = {},
            .commands = {},
            .needs_command = command.get_require_subcommand_min() > 0};
  page.notes = notes_on(page.word());
  for (const CLI::Option* option : command.get_options()) page.flags.push_back(flag_of(*option));
  for (const CLI::App* below : command.get_subcommands([](const CLI::App*) { return true; })) {
    page.commands.push_back(page_of(*below));
  }
  return page;
}

}  // namespace connectid::cli
