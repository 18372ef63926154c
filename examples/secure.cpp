// TLS with an authority of one's own: the broker shows a certificate, and the client has to show one too. All of it
// happens in this process; the certificates are made by the command openssl, in a directory that goes in the end.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <tortoise/testing/broker.hpp>
#include <tortoise/tortoise.hpp>

using namespace std::chrono_literals;

/// Files as whoever runs the broker hands them out.
class Keys {
public:
    Keys() {
        std::string name = (std::filesystem::temp_directory_path() / "tortoise-secure-XXXXXX").string();
        if (::mkdtemp(name.data())) directory_ = name;
    }
    ~Keys() {
        std::error_code ignored;
        if (!directory_.empty()) std::filesystem::remove_all(directory_, ignored);
    }
    Keys(const Keys&) = delete;
    Keys& operator=(const Keys&) = delete;

    std::string path(const std::string& name) const { return directory_ + "/" + name; }

    /// An authority, and two certificates of it: localhost's and the lamp's.
    bool make() const {
        const std::string key = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 ";
        const std::string by_the_authority = " -CA ca.pem -CAkey ca.key -addext basicConstraints=critical,CA:FALSE";
        const auto commands = "cd " + directory_ + " && exec 2>/dev/null && " + key +
                              "-keyout ca.key -out ca.pem -subj '/CN=My Home' && " + key +
                              "-keyout broker.key -out broker.pem -subj /CN=broker "
                              "-addext subjectAltName=DNS:localhost,IP:127.0.0.1" +
                              by_the_authority + " && " + key + "-keyout lamp.key -out lamp.pem -subj /CN=lamp" +
                              by_the_authority;
        return !directory_.empty() && std::system(commands.c_str()) == 0;
    }

private:
    std::string directory_;
};

int main() {
    const Keys keys;
    if (!keys.make()) return std::puts("cannot make certificates"), 1;

    tortoise::testing::Broker broker{{.tls = tortoise::testing::BrokerTls{.certificate_file = keys.path("broker.pem"),
                                                                          .key_file = keys.path("broker.key"),
                                                                          .ca_file = keys.path("ca.pem"),
                                                                          .require_client_certificate = true}}};
    if (const auto ok = broker.ok(); !ok) return std::puts(ok.error().describe().c_str()), 1;

    // Without a certificate nobody comes in, and the error says so. A connection would try again, slowly; this one
    // ends.
    const tortoise::ConnectionOptions stranger{.server = broker.url(), // mqtts://127.0.0.1:PORT
                                               .tls = {.ca_file = keys.path("ca.pem")},
                                               .classify = [](const auto&) noexcept { return tortoise::Retry::fatal; }};
    const auto refused = tortoise::Connection(stranger).wait_until_up(10s);
    std::printf("without a certificate: %s\n", refused ? "connected" : refused.error().describe().c_str());

    auto options = stranger;
    options.tls.certificate_file = keys.path("lamp.pem");
    options.tls.key_file = keys.path("lamp.key");
    tortoise::Connection lamp{options};
    const auto receipt = lamp.publish("lamps/hall", "on", {.qos = tortoise::QoS::at_least_once}).wait(10s);
    std::printf("with a certificate: %s\n", receipt ? "delivered" : receipt.error().describe().c_str());
    const bool as_it_should = receipt && !refused && refused.error().code == tortoise::Errc::tls_certificate_required;
    return lamp.stop(5s).wait(10s) && as_it_should ? 0 : 1;
}
