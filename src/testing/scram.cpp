#include "testing/scram.hpp"
#include "io/scram.hpp"
#include <memory>

namespace tortoise::testing {

namespace {

constexpr std::uint32_t iterations = 4'096;

using Records = std::map<std::string, io::ScramRecord>;

class Conversation final : public BrokerAuthentication {
public:
    explicit Conversation(std::shared_ptr<const Records> records)
        : server_(
              [records = std::move(records)](const std::string& name) {
                  const auto found = records->find(name);
                  return found == records->end() ? nullptr : &found->second;
              },
              io::scram_nonce()) {}

    Step step(Octets data) override {
        auto answer = std::exchange(begun_, true) ? server_.final(data) : server_.first(data);
        using Kind = io::ScramServer::Answer::Kind;
        if (answer.kind == Kind::refuse) return {};
        return {answer.kind == Kind::accept ? Step::Kind::accept : Step::Kind::go_on, std::move(answer.data)};
    }

private:
    io::ScramServer server_;
    bool begun_ = false;
};

} // namespace

BrokerOptions with_scram(BrokerOptions options) {
    if (options.scram_users.empty()) return options;
    auto records = std::make_shared<Records>();
    for (const auto& [name, password] : options.scram_users)
        records->emplace(name, io::scram_record(password, io::scram_nonce(), iterations));
    options.authentication = [records, others = options.authentication](std::string_view method) {
        BrokerAuthentication* made = nullptr;
        if (method == io::scram_method)
            made = new Conversation(records);
        else if (others)
            made = others(method);
        return made;
    };
    return options;
}

} // namespace tortoise::testing
