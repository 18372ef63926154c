#include "io/scram.hpp"
#include <memory>
#include <mutex>
#include <tortoise/scram.hpp>

namespace tortoise {

namespace {

/// Who we are. Shared by the conversations of all connections that were given it; remembers what was computed last.
class Secret {
public:
    Secret(std::string user_name, std::string password, ScramLimits bounds)
        : user_name_(std::move(user_name)), password_(std::move(password)), limits_(bounds) {}

    const std::string& user_name() const noexcept { return user_name_; }
    io::ScramClient::Bounds bounds() const noexcept { return {limits_.least_iterations, limits_.most_iterations}; }
    io::ScramKeys keys(Octets salt, std::uint32_t iterations) {
        {
            const std::lock_guard lock(mutex_);
            if (salt_ == salt && iterations_ == iterations) return keys_;
        }
        auto keys = io::scram_keys(password_, salt, iterations);
        const std::lock_guard lock(mutex_);
        salt_ = salt;
        iterations_ = iterations;
        keys_ = keys;
        return keys;
    }

private:
    const std::string user_name_, password_;
    const ScramLimits limits_;
    std::mutex mutex_;
    std::string salt_; // guarded by mutex_, as what follows
    std::uint32_t iterations_ = 0;
    io::ScramKeys keys_;
};

class Scram final : public Authenticator {
public:
    explicit Scram(const std::shared_ptr<Secret>& secret)
        : client_(
              secret->user_name(),
              [secret](Octets salt, std::uint32_t iterations) { return secret->keys(salt, iterations); },
              secret->bounds(), io::scram_nonce()) {}

    std::string_view method() const override { return io::scram_method; }
    Pending<std::string> begin() override { return Pending<std::string>(Result<std::string>(client_.first())); }
    Pending<std::string> answer(Octets data) override { return Pending<std::string>(client_.answer(data)); }
    Pending<Done> verify(Octets data) override { return Pending<Done>(client_.verify(data)); }

private:
    io::ScramClient client_;
};

} // namespace

AuthenticatorFactory scram_sha_256(std::string user_name, std::string password, ScramLimits limits) {
    return [secret = std::make_shared<Secret>(std::move(user_name), std::move(password), limits)](
               const CredentialsRequest&) { return std::make_unique<Scram>(secret); };
}

} // namespace tortoise
