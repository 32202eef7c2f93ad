// Whom the program trusts: --ca-file, CONNECTID_CA_FILE and SSL_CERT_FILE, against a server whose authority nobody else
// knows.
#include "support/program_test.hpp"

namespace connectid::cli {
namespace {

using nlohmann::json;
using Words = std::vector<std::string>;

class ProgramCaFile : public ::testing::Test {
 protected:
  /// For a start: with an access token.
  [[nodiscard]] Words variables(const Words& more = {}) const {
    Words all{"CONNECTID_API_URL=" + server.url(), cli::token};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// For what asks the authorization server, with one data directory for all runs of the test.
  [[nodiscard]] Words login_variables(const Words& more = {}) const {
    Words all{"CONNECTID_API_URL=" + server.url(), "CONNECTID_LOGIN_URL=" + server.login_url(),
              "CONNECTID_CLIENT_ID=test-client", "CONNECTID_CLIENT_SECRET=test-secret", "XDG_DATA_HOME=" + (data / "")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  /// It was not the server's authority, and so the server got nothing.
  void expect_refused(const Ended& ended) {
    EXPECT_EQ(ended.status, 7);
    EXPECT_NE(ended.err.find("certificate"), std::string::npos) << ended.err;
    EXPECT_EQ(server.bodies_received(), 0U);
  }

  testing::FakeServer server{{.tls = true}};
  const TemporaryFile good{server.ca_pem()};
  const TemporaryFile other{testing::make_certificate().authority};
  const TemporaryDirectory data;
};

TEST_F(ProgramCaFile, the_servers_authority_lets_a_start_through) {
  const Ended by_flag = Program(start({"--ca-file", good.name()}), variables()).wait();
  EXPECT_EQ(by_flag.status, 0) << by_flag.err;
  const Ended by_variable = Program(start(), variables({"CONNECTID_CA_FILE=" + good.name()})).wait();
  EXPECT_EQ(by_variable.status, 0) << by_variable.err;
  EXPECT_EQ(server.started().size(), 2U);
}

TEST_F(ProgramCaFile, without_one_the_systems_authorities_are_trusted) {
  expect_refused(Program(start(), variables()).wait());
}

TEST_F(ProgramCaFile, an_authority_that_did_not_sign_the_server_is_not_sent_and_told_of) {
  expect_refused(Program(start({"--ca-file", other.name()}), variables()).wait());
  const Ended ended = Program(start({"--ca-file", other.name(), "--output", "json"}), variables()).wait();
  EXPECT_EQ(ended.status, 7);
  const json response = json::parse(ended.out);
  EXPECT_EQ(response.at("outcome"), "not_sent");
  EXPECT_EQ(response.at("error").at("kind"), "transport_error");
  EXPECT_NE(std::string(response.at("error").at("message")).find("certificate"), std::string::npos) << ended.out;
}

TEST_F(ProgramCaFile, a_flag_wins_over_the_variable) {
  const Words good_variable = variables({"CONNECTID_CA_FILE=" + good.name()});
  expect_refused(Program(start({"--ca-file", other.name()}), good_variable).wait());
  const Words other_variable = variables({"CONNECTID_CA_FILE=" + other.name()});
  EXPECT_EQ(Program(start({"--ca-file", good.name()}), other_variable).wait().status, 0);
}

TEST_F(ProgramCaFile, ssl_cert_file_serves_where_neither_is_given) {
  const Words good_for_all = variables({"SSL_CERT_FILE=" + good.name()});
  EXPECT_EQ(Program(start(), good_for_all).wait().status, 0);
  EXPECT_EQ(server.bodies_received(), 1U);
  const Words other_for_all = variables({"SSL_CERT_FILE=" + other.name()});
  EXPECT_EQ(Program(start(), other_for_all).wait().status, 7);
  EXPECT_EQ(Program(start({"--ca-file", good.name()}), other_for_all).wait().status, 0);
  const Words both = variables({"SSL_CERT_FILE=" + other.name(), "CONNECTID_CA_FILE=" + good.name()});
  EXPECT_EQ(Program(start(), both).wait().status, 0);
  const Words unused = variables({"SSL_CERT_FILE=/nowhere", "CONNECTID_CA_FILE=" + good.name()});
  EXPECT_EQ(Program(start(), unused).wait().status, 0) << "it is not looked at";
}

TEST_F(ProgramCaFile, an_empty_ssl_cert_file_is_none) {
  expect_refused(Program(start(), variables({"SSL_CERT_FILE="})).wait());
}

TEST_F(ProgramCaFile, the_authorization_server_is_asked_with_it_too) {
  const Words trusting = login_variables({"CONNECTID_CA_FILE=" + good.name()});
  const Ended refused = Program({"login", "--client-credentials", "--ca-file", other.name()}, trusting).wait();
  EXPECT_EQ(refused.status, 4) << "it does not pass by itself";
  EXPECT_NE(refused.err.find("certificate"), std::string::npos) << refused.err;
  EXPECT_TRUE(server.token_requests().empty());

  const Ended logged_in =
      Program({"login", "--client-credentials", "--ca-file", good.name()}, login_variables()).wait();
  EXPECT_EQ(logged_in.status, 0) << logged_in.err;
  server.expire_access_tokens();
  const Ended started =
      Program(start(), trusting).wait();  // its token is refused, and renewed at the authorization server
  EXPECT_EQ(started.status, 0) << started.err;
  EXPECT_EQ(server.token_requests().size(), 2U);
}

TEST_F(ProgramCaFile, a_token_is_renewed_with_it) {
  const Words variables = login_variables();
  const Ended kept = Program({"token", "import", "--account", "test"}, variables, {.in = "test-refresh-token"}).wait();
  EXPECT_EQ(kept.status, 0) << kept.err;
  EXPECT_EQ(Program({"token", "--ca-file", other.name()}, variables).wait().status, 4);
  const Ended printed = Program({"token", "--ca-file", good.name()}, variables).wait();
  EXPECT_EQ(printed.status, 0) << printed.err;
  EXPECT_TRUE(printed.out.starts_with("canary-access-")) << printed.out;
}

TEST_F(ProgramCaFile, one_that_cannot_be_used_is_a_configuration_error_that_names_it) {
  const TemporaryFile no_certificate("not PEM\n");
  struct Row {
    Words flags;
    std::string variable;
    std::string says;
  };
  const std::string name = no_certificate.name();
  for (const Row& row : {Row{{"--ca-file", "/nowhere"}, "A=1", "\"/nowhere\" (--ca-file) cannot be used: No such file"},
                         Row{{}, "CONNECTID_CA_FILE=/nowhere", "\"/nowhere\" (CONNECTID_CA_FILE) cannot be used"},
                         Row{{}, "SSL_CERT_FILE=/nowhere", "\"/nowhere\" (SSL_CERT_FILE) cannot be used"},
                         Row{{"--ca-file", name}, "A=1", "\"" + name + "\" (--ca-file) cannot be used: it holds no"}}) {
    Words words = start({"--output", "json"});
    words.insert(words.end(), row.flags.begin(), row.flags.end());
    const Ended ended = Program(words, variables({row.variable})).wait();
    EXPECT_EQ(ended.status, 2) << ended.out;
    const json response = json::parse(ended.out);
    EXPECT_EQ(response.at("outcome"), "not_sent");
    EXPECT_EQ(response.at("error").at("kind"), "configuration_error");
    EXPECT_NE(std::string(response.at("error").at("message")).find(row.says), std::string::npos) << ended.out;
  }
  EXPECT_EQ(server.gate().connections(), 0U);
}

TEST_F(ProgramCaFile, one_that_cannot_be_used_is_told_of_before_a_secret_is_asked_for) {
  Words variables = login_variables({"CONNECTID_CA_FILE=/nowhere", "PATH=/usr/bin:/bin"});
  std::erase(variables, "CONNECTID_CLIENT_SECRET=test-secret");
  // A process of its own session has no terminal: asking would be another error.
  const Ended ended =
      Process({"setsid", "--wait", CONNECTID_PROGRAM, "login", "--client-credentials"}, variables).wait();
  EXPECT_EQ(ended.status, 2);
  EXPECT_NE(ended.err.find("\"/nowhere\" (CONNECTID_CA_FILE) cannot be used"), std::string::npos) << ended.err;
}

}  // namespace
}  // namespace connectid::cli
