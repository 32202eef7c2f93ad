#include <connectid/testing/fault_gate.hpp>

#include <poll.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <limits>
#include <list>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <thread>
#include <utility>
#include <vector>

#include "testing/socket.hpp"

namespace connectid::inline v0::testing {
namespace {

using detail::Buffer;
using detail::Fd;
using detail::Listener;
using detail::SslContext;
using detail::Stream;
using detail::Wake;
using Clock = std::chrono::steady_clock;
using End = Fault::End;

constexpr std::size_t window = 65'536;  // more than this waits in neither direction before the gate stops reading
constexpr std::size_t everything = std::numeric_limits<std::size_t>::max();

/// What the connections have of their gate.
struct Commons {
  Commons(std::uint16_t port, FaultGate::Options from)
      : server_port(port), options(std::move(from)), listener(options.port) {
    if (options.certificate) tls = detail::server_context(*options.certificate, options.client_authority);
  }

  const std::uint16_t server_port;
  const FaultGate::Options options;
  SslContext tls;
  Listener listener;
  std::atomic<std::uint64_t> accepted = 0;
  std::atomic<std::uint64_t> exchanges = 0;
  std::atomic<std::uint64_t> open = 0;
};

/// Work that other threads hand to a connection's own thread, which alone touches its sockets.
class Mailbox {
 public:
  using Order = std::packaged_task<bool()>;

  /// The response is false where the connection has ended already.
  std::future<bool> post(Order order) {
    std::future<bool> response = order.get_future();
    const std::lock_guard lock(mutex_);
    if (closed_) {
      Order refuse([] { return false; });
      response = refuse.get_future();
      refuse();
    } else {
      orders_.push_back(std::move(order));
    }
    return response;
  }

  void obey() {
    for (Order& order : take_all(false)) order();
  }

  /// What comes later is refused.
  void close() {
    for (Order& order : take_all(true)) order();
  }

 private:
  std::vector<Order> take_all(bool close) {
    const std::lock_guard lock(mutex_);
    closed_ = closed_ || close;
    return std::exchange(orders_, {});
  }

  std::mutex mutex_;
  std::vector<Order> orders_;
  bool closed_ = false;
};

/// `fault` with what it leaves open filled in, as its documentation says.
Fault settled(Fault fault) {
  const bool has_a_place = fault.truncate_request_at || fault.truncate_response_at || fault.response;
  if (!has_a_place && fault.end != End::keep) fault.truncate_response_at = 0;
  if (fault.truncate_request_at && !fault.response && fault.end == End::keep) fault.end = End::silence;
  return fault;
}

int milliseconds_until(Clock::time_point time) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(time - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, std::numeric_limits<int>::max()));
}

/// One client's connection, with a thread of its own: a loop that waits, moves bytes as far as they go and waits again.
class Connection {
 public:
  Connection(Commons& gate, Fd client, std::uint64_t number)
      : gate_(gate), number_(number), client_(std::move(client), gate.tls.get()) {
    ++gate_.open;
    thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
  }

  [[nodiscard]] bool over() const noexcept { return over_; }
  void request_stop() { thread_.request_stop(); }

  std::future<bool> send_stray(std::string bytes) {
    return order(Mailbox::Order([this, stray = std::move(bytes)] { return give_stray(stray); }));
  }

  std::future<bool> send_aside(FaultGate::Aside what) {
    return order(Mailbox::Order([this, what] { return between_exchanges() && client_.write_aside(what) && given(); }));
  }

  std::future<bool> close(End how) {
    return order(Mailbox::Order([this, how] {
      if (counted_out_) return false;
      end_with(how);
      return true;
    }));
  }

 private:
  enum class Phase {
    idle,      ///< the next byte of the client begins an exchange
    request,   ///< an exchange has begun and no byte of its response came yet
    response,  ///< the response goes to the client
    deaf,      ///< what the client says is dropped, until it closes
    ended,
  };

  struct Progress {
    Fault fault;
    std::size_t forwarded = 0;   ///< bytes of the request given to the server
    std::size_t taken = 0;       ///< bytes of the response let through
    bool went = false;           ///< whether a byte of the response was given to the client
    bool last = false;           ///< nothing follows what is pending: then `fault.end`
    Clock::time_point due = {};  ///< nothing of the response goes before
  };

  std::future<bool> order(Mailbox::Order order) {
    std::future<bool> response = orders_.post(std::move(order));
    wake_.signal();
    return response;
  }

  void run(const std::stop_token& stop) {
    const std::stop_callback wake_up(stop, [this] { wake_.signal(); });
    const auto& greet = gate_.options.greet;
    if (greet && !greet(number_)) phase_ = Phase::deaf;
    while (phase_ != Phase::ended && !stop.stop_requested()) turn();
    leave();
    orders_.close();
    over_ = true;
  }

  void turn() {
    wait();
    orders_.obey();
    if (client_has_news_) hear_client();
    if (server_has_news_ && server_) hear_server();
    if (phase_ == Phase::deaf || phase_ == Phase::ended) return;
    send_request();
    send_response();
    if (client_left_ && !server_.unsent()) phase_ = Phase::ended;
  }

  // Waiting

  void wait() {
    std::array<pollfd, 3> fds{{{wake_.fd(), POLLIN, 0}, client_interest(), server_interest()}};
    ::poll(fds.data(), fds.size(), timeout());
    if (fds[0].revents != 0) wake_.clear();
    client_has_news_ = (fds[1].revents & ~POLLOUT) != 0;
    server_has_news_ = (fds[2].revents & ~POLLOUT) != 0;
  }

  /// Where the client is not read, its leaving is noticed all the same.
  [[nodiscard]] pollfd client_interest() const {
    if (client_left_) return {-1, 0, 0};
    int events = listens_to_client() ? POLLIN : (server_.unsent() ? 0 : POLLRDHUP);
    if (client_.unsent()) events |= POLLOUT;
    return {client_.fd(), static_cast<short>(events), 0};
  }

  [[nodiscard]] pollfd server_interest() const {
    int events = response_.size() + client_.backlog() < window ? POLLIN : 0;
    if (server_.unsent()) events |= POLLOUT;
    return {events == 0 ? -1 : server_.fd(), static_cast<short>(events), 0};
  }

  [[nodiscard]] bool listens_to_client() const {
    switch (phase_) {
      case Phase::idle:
      case Phase::request:
        return !request_is_truncated() && server_.backlog() < window;
      case Phase::response:
        if (progress_.last) return false;
        return progress_.went ? response_.empty() : server_.backlog() < window;
      case Phase::deaf:
        return !progress_.fault.stop_reading;
      case Phase::ended:
        break;
    }
    return true;
  }

  [[nodiscard]] int timeout() const {
    if (phase_ != Phase::response || client_.unsent()) return -1;
    if (response_.empty() && !progress_.last) return -1;
    if (response_.empty() && progress_.due <= Clock::now()) return 1;  // the kernel does not say when it has sent all
    return milliseconds_until(progress_.due);
  }

  // Client to server

  void hear_client() {
    if (phase_ == Phase::ended || !listens_to_client()) {  // asked for no bytes: so it has left
      phase_ = Phase::ended;
      return;
    }
    if (phase_ == Phase::deaf) {
      if (!client_.drop()) phase_ = Phase::ended;
      return;
    }
    std::string bytes;
    client_left_ = !client_.read(bytes);
    if (!bytes.empty()) take_request(bytes);
  }

  void take_request(std::string_view bytes) {
    const bool begins = phase_ == Phase::idle || (phase_ == Phase::response && progress_.went);
    if (begins && !begin_exchange()) return;
    const std::size_t room = progress_.fault.truncate_request_at.value_or(everything) - progress_.forwarded;
    bytes = bytes.substr(0, room);
    progress_.forwarded += bytes.size();
    server_.write(bytes);
  }

  [[nodiscard]] bool begin_exchange() {
    ++gate_.exchanges;
    ++exchanges_;
    if (!server_) server_ = Stream(detail::connect_to(gate_.server_port));
    if (!server_) {
      end_with(End::fin);
      return false;
    }
    phase_ = Phase::request;
    progress_ = {};
    const auto& plan = gate_.options.plan;
    if (plan) progress_.fault = settled(plan({number_, exchanges_, detail::local_port(server_.fd())}));
    return true;
  }

  [[nodiscard]] bool request_is_truncated() const {
    return phase_ == Phase::request && progress_.fault.truncate_request_at == progress_.forwarded;
  }

  void send_request() {
    if (server_ && !server_.flush()) server_ended();
    if (request_is_truncated() && !server_.unsent()) {
      begin_response();
      if (!progress_.fault.response) progress_.due = {};
      finish_response();
    }
  }

  // Server to client

  void hear_server() {
    std::string bytes;
    const bool open = server_.read(bytes);
    if (!bytes.empty()) take_response(bytes);
    if (!open && server_) server_ended();
  }

  void take_response(std::string_view bytes) {
    if (phase_ == Phase::idle) return response_.append(bytes);  // the server's own stray words
    if (phase_ == Phase::request) begin_response();
    if (!progress_.last) let_through(bytes);
    if (progress_.last) finish_response();
  }

  /// At the server's first byte, which is dropped where the response is forged.
  void begin_response() {
    phase_ = Phase::response;
    progress_.due = Clock::now() + progress_.fault.delay;
    const Fault& fault = progress_.fault;
    if (fault.stop_listening && fault.end == End::keep) gate_.listener.stop();
    if (fault.response) {
      let_through(*fault.response);
      progress_.last = true;
    }
  }

  void let_through(std::string_view bytes) {
    const std::size_t limit = progress_.fault.truncate_response_at.value_or(everything);
    bytes = bytes.substr(0, limit - progress_.taken);
    progress_.taken += bytes.size();
    response_.append(bytes);
    progress_.last = progress_.taken == limit;
  }

  /// The rest of the server's real response must never be taken for the next one.
  void finish_response() {
    progress_.last = true;
    server_.close();
  }

  /// What is pending still goes out, then the client learns of it.
  void server_ended() {
    if (phase_ == Phase::request && progress_.fault.response)
      begin_response();  // its closing was its response: forge that too
    const bool forged = progress_.fault.response && phase_ == Phase::response;
    finish_response();
    if (forged) return;
    progress_.fault.end = End::fin;
    phase_ = Phase::response;
  }

  void send_response() {
    while (client_.flush() && !client_.unsent() && !response_.empty() && progress_.due <= Clock::now()) send_piece();
    if (!client_.flush()) phase_ = Phase::ended;
    if (phase_ == Phase::response && progress_.last && all_went()) end_exchange();
  }

  void send_piece() {
    const auto drip = progress_.fault.drip;
    const auto piece = response_.view().substr(0, drip.count() > 0 ? 1 : window);
    client_.write(piece);
    response_.drop(piece.size());
    progress_.went = true;
    const bool more = !response_.empty() || !progress_.last;
    if (drip.count() > 0 && more) progress_.due = Clock::now() + drip;
  }

  [[nodiscard]] bool all_went() const {
    if (!response_.empty() || client_.unsent() || progress_.due > Clock::now()) return false;
    return progress_.fault.end != End::reset || client_.left_the_kernel();
  }

  // Ends

  void end_exchange() {
    if (progress_.fault.stop_listening) gate_.listener.stop();
    end_with(progress_.fault.end);
  }

  void end_with(End how) {
    server_.close();
    response_.clear();
    switch (how) {
      case End::keep:
        phase_ = Phase::idle;
        progress_ = {};
        break;
      case End::close_notify:
        client_.say_the_end();
        [[fallthrough]];
      case End::fin:  // closing the socket would make an RST of bytes not read yet: so the client closes first
        count_out();
        client_.send_fin();
        phase_ = Phase::deaf;
        break;
      case End::reset:
        count_out();
        client_.reset();
        phase_ = Phase::ended;
        break;
      case End::silence:
        phase_ = Phase::deaf;
        break;
    }
  }

  [[nodiscard]] bool between_exchanges() const {
    const bool between = phase_ == Phase::idle || (phase_ == Phase::response && progress_.went && !progress_.last);
    return between && response_.empty() && !client_left_ && !client_.unsent() && client_.ready();
  }

  bool give_stray(std::string_view bytes) {
    if (!between_exchanges()) return false;
    client_.write(bytes);
    return given();
  }

  /// What was written goes out at once.
  bool given() {
    if (!client_.flush()) phase_ = Phase::ended;
    return phase_ != Phase::ended;
  }

  void count_out() {
    if (!std::exchange(counted_out_, true)) --gate_.open;
  }

  void leave() {
    count_out();
    phase_ = Phase::ended;
    client_.close();
    server_.close();
  }

  Commons& gate_;
  const std::uint64_t number_;
  Stream client_;
  Stream server_;  ///< made as an exchange begins
  Phase phase_ = Phase::idle;
  Progress progress_;
  std::uint64_t exchanges_ = 0;
  Buffer response_;  ///< on its way to the client
  bool client_has_news_ = false;
  bool server_has_news_ = false;
  bool client_left_ = false;
  bool counted_out_ = false;
  Wake wake_;
  Mailbox orders_;
  std::atomic<bool> over_ = false;
  std::jthread thread_;  // the last member: it is joined before the others go
};

}  // namespace

struct FaultGate::Impl {
  using Connections = std::list<std::shared_ptr<Connection>>;

  Impl(std::uint16_t server_port, Options options)
      : commons(server_port, std::move(options)), acceptor([this](const std::stop_token& stop) { accept(stop); }) {}

  ~Impl() {
    acceptor.request_stop();
    acceptor.join();
    for (const auto& connection : connections) connection->request_stop();
  }

  void accept(const std::stop_token& stop) {
    const std::stop_callback wake_up(stop, [this] { wake.signal(); });
    std::array<pollfd, 2> fds{{{wake.fd(), POLLIN, 0}, {commons.listener.fd(), POLLIN, 0}}};
    while (!stop.stop_requested() && !commons.listener.stopped()) {
      ::poll(fds.data(), fds.size(), -1);
      if (fds[1].revents == 0) continue;
      Fd client = commons.listener.accept();
      if (!client || !welcome(std::move(client))) ::poll(fds.data(), 1, 10);  // others must close something first
    }
  }

  /// False where there are no more descriptors or threads to be had: then the client is turned away.
  bool welcome(Fd client) {
    const std::lock_guard lock(mutex);
    std::erase_if(connections, [](const auto& connection) { return connection->over(); });
    try {
      connections.push_back(std::make_shared<Connection>(commons, std::move(client), ++commons.accepted));
      return true;
    } catch (const std::runtime_error&) {
      return false;
    }
  }

  Connections all() {
    const std::lock_guard lock(mutex);
    return connections;
  }

  /// Orders it of all connections at once, then waits; returns how many could obey.
  template <class Order>
  std::size_t order_all(Order order) {
    const Connections asked = all();
    std::vector<std::future<bool>> responses;
    for (const auto& connection : asked) responses.push_back(order(*connection));
    return static_cast<std::size_t>(std::ranges::count_if(responses, [](auto& response) { return response.get(); }));
  }

  Commons commons;
  Wake wake;
  std::mutex mutex;
  Connections connections;
  std::jthread acceptor;
};

FaultGate::FaultGate(std::uint16_t server_port, Options options)
    : impl_(std::make_unique<Impl>(server_port, std::move(options))) {}
FaultGate::~FaultGate() = default;

std::uint16_t FaultGate::port() const noexcept { return impl_->commons.listener.port(); }
std::uint64_t FaultGate::connections() const noexcept { return impl_->commons.accepted; }
std::uint64_t FaultGate::exchanges() const noexcept { return impl_->commons.exchanges; }
std::uint64_t FaultGate::open_connections() const noexcept { return impl_->commons.open; }

void FaultGate::stop_listening() { impl_->commons.listener.stop(); }

std::size_t FaultGate::send_stray(std::string_view bytes) {
  return impl_->order_all([&](Connection& connection) { return connection.send_stray(std::string(bytes)); });
}

std::size_t FaultGate::send_aside(Aside what) {
  return impl_->order_all([&](Connection& connection) { return connection.send_aside(what); });
}

std::size_t FaultGate::close_connections(Fault::End how) {
  if (how == End::keep) return 0;
  return impl_->order_all([&](Connection& connection) { return connection.close(how); });
}

}  // namespace connectid::inline v0::testing
