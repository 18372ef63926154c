#pragma once
/// Enhanced authentication of one connection: whose turn it is, and for what. [MQTT-4.12]

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tortoise/core/engine.hpp>

namespace tortoise::core {

/// The states, and what each may become; the end of the connection leads from each to `none`:
///
///   none       asked                CONNECT names no method; no AUTH may come
///   asked      answering, verifying our CONNECT or AUTH went out: the broker's turn
///   answering  asked                AUTH 0x18 came: the user's turn
///   verifying  done                 CONNACK (or AUTH) 0x00 came: the user looks whether the broker is who it should be
///   done       asked                authenticated; we may do it again
class AuthenticationState {
public:
    enum class Step : std::uint8_t { none, asked, answering, verifying, done };

    Step step() const noexcept { return step_; }
    /// Is it one of an open connection that began with another one?
    bool again() const noexcept { return again_; }
    bool under_way() const noexcept { return step_ != Step::none && step_ != Step::done; }
    const std::string& method() const noexcept { return method_; }

    void begin(std::string method) {
        method_ = std::move(method);
        step_ = Step::asked;
        again_ = false;
    }
    void begin_again() noexcept {
        step_ = Step::asked;
        again_ = true;
    }
    void become(Step step) noexcept { step_ = step; }
    void reset() { *this = {}; }

private:
    Step step_ = Step::none;
    bool again_ = false;
    std::string method_;
};

constexpr std::string_view to_string(AuthenticationState::Step step) noexcept {
    constexpr std::string_view names[] = {"", "asked", "answering", "verifying", "done"};
    return names[static_cast<std::size_t>(step)];
}

} // namespace tortoise::core
