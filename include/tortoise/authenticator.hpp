#pragma once
/// Enhanced authentication (MQTT 5): a conversation with the broker about who each of the two is. [MQTT-4.12]

#include <optional>
#include <string>
#include <string_view>
#include <tortoise/detail/chrono.hpp>
#include <tortoise/fn.hpp>
#include <tortoise/options.hpp>
#include <tortoise/pending.hpp>
#include <tortoise/types.hpp>

namespace tortoise {

/// One conversation: it is made anew for each attempt to connect and for each re-authentication, and serves once. Called on
/// the loop thread; each answer is given at once or later, from any thread (`Promise`). The attempt waits for it, within
/// connect_timeout; an error ends the attempt with that error, or of a re-authentication that has begun the connection.
class Authenticator {
public:
    virtual ~Authenticator() = default;
    /// The Authentication Method; the same in each conversation of a connection.
    virtual std::string_view method() const = 0;
    /// The Authentication Data to begin with, in CONNECT or AUTH; empty: none.
    virtual Pending<std::string> begin() { return Pending<std::string>(Result<std::string>(std::string())); }
    /// The broker wants more: what to send to its data (empty if it sent none), which is gone when this returns.
    virtual Pending<std::string> answer(Octets data) = 0;
    /// The broker is content, and said this last. An error: we are not. Until then nothing that it sends is handed out.
    virtual Pending<Done> verify(Octets /*data*/) { return Pending<Done>(Result<Done>(Done{})); }
    /// It came to nothing: refused, or cut off.
    virtual void failed(const Error&) {}
    /// Asked when it succeeded: until when that holds. Ahead of it another conversation begins, on the open connection.
    virtual std::optional<std::chrono::system_clock::time_point> expires() const { return std::nullopt; }
};

/// Makes an authenticator for each conversation. Copies share the same maker.
class AuthenticatorFactory {
public:
    AuthenticatorFactory() noexcept = default;
    /// From a callable that returns a std::unique_ptr (or the like) to an Authenticator. Called on the loop thread.
    template <class Make>
        requires requires(Make make, const CredentialsRequest& request) {
            static_cast<Authenticator*>(make(request).release());
        }
    AuthenticatorFactory(Make make)
        : make_([make = std::move(make)](const CredentialsRequest& r) mutable -> Authenticator* {
              return make(r).release();
          }) {}

    explicit operator bool() const noexcept { return static_cast<bool>(make_); }
    /// Null without a maker. The caller deletes it.
    Authenticator* make(const CredentialsRequest& request) const { return make_ ? make_(request) : nullptr; }

private:
    SharedFn<Authenticator*(const CredentialsRequest&)> make_;
};

} // namespace tortoise
