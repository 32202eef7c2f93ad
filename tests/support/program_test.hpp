#pragma once

#include <gtest/gtest.h>

#include <connectid/testing/fake_server.hpp>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "support/run_program.hpp"

namespace connectid::cli {

/// The API reference's own example, as its users would put it into a file.
inline const std::string documented_json =
    R"({"companyCode":"468979834","product":"CO27409","startTime":1560336440000,"endTime":1591958840000,)"
    R"("copies":"1","couponCode":"WMDigi","couponNumber":5223,"customerReference":"cvxgds"})";

inline const std::string token = "CONNECTID_ACCESS_TOKEN=test-token";

/// A command that asks for a valid subscription, and more flags.
inline std::vector<std::string> with(const std::string& command, const std::vector<std::string>& more) {
  std::vector<std::string> all{command, "--product",     "CO27409", "--start-date",    "2026-04-01", "--copies",
                               "1",     "--coupon-code", "WMDigi",  "--coupon-number", "5223"};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}
inline std::vector<std::string> start(const std::vector<std::string>& more = {}) { return with("start", more); }

/// Runs the program against a server of its own.
class ProgramTest : public ::testing::Test {
 protected:
  explicit ProgramTest(testing::FakeServerOptions options = {}) : server(std::move(options)) {}
  [[nodiscard]] std::vector<std::string> variables() const { return {"CONNECTID_API_URL=" + server.url(), token}; }
  [[nodiscard]] Ended run(std::vector<std::string> arguments) const {
    return Program(std::move(arguments), variables()).wait();
  }

  testing::FakeServer server;
};

}  // namespace connectid::cli
