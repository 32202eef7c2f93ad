// generate FOLDER: writes the completions and the manual pages of the program there.
#include <CLI/CLI.hpp>
#include <exception>
#include <fstream>
#include <iostream>

#include "generate/writers.hpp"
#include "input/options.hpp"

namespace {

using namespace connectid::cli;

void write(const std::string& name, const std::string& text) {
  std::ofstream out(name);
  if (!(out << text << std::flush)) throw std::runtime_error("cannot write " + name);
}

void write_man_pages(const std::string& directory, const Page& page) {
  write(directory + "/" + man_page_name(page) + ".1", man_page(page));
  for (const Page& command : page.commands) write_man_pages(directory, command);
}

void generate(const std::string& directory) {
  Arguments nobodys;
  CLI::App app;
  define(app, nobodys);
  const Page program = page_of(app);
  write(directory + "/connectid.bash", bash_completion(program));
  write(directory + "/_connectid", zsh_completion(program));
  write_man_pages(directory, program);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc != 2) throw std::runtime_error("usage: generate FOLDER");
    generate(argv[1]);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "generate: " << error.what() << '\n';
    return 1;
  }
}
