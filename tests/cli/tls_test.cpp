// TLS and Unix sockets, as options: what they mean, which exit code a failure has, and in which words.

#include "cli/peer.hpp"
#include "cli/tool.hpp"
#include "support/certificates.hpp"

namespace {

using test::Ended;
using test::TemporaryDirectory;
using test::tortoise;
using test::Words;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;
using ::tortoise::TlsVersion;
using ::tortoise::test::Authority;
using ::tortoise::test::Identity;
using ::tortoise::test::Subject;
using ::tortoise::testing::Broker;
using ::tortoise::testing::BrokerTls;

class TlsCommand : public ::testing::Test {
protected:
    void start(BrokerTls tls, const Subject& subject = {}) {
        const auto identity = authority.issue(subject);
        tls.certificate = identity.certificate();
        tls.key = identity.key();
        start_as_it_is(std::move(tls));
    }
    void start_as_it_is(BrokerTls tls) {
        broker = std::make_unique<Broker>(::tortoise::testing::BrokerOptions{.tls = std::move(tls)});
        ASSERT_TRUE(broker->ok()) << broker->ok().error().describe();
    }
    Words at() const { return {"-h", "localhost", "-p", std::to_string(broker->port())}; }
    static Ended pub(const Words& words) {
        return test::run(tortoise({"pub", "-t", "a", "-m", "x", "-q", "1"}) + words);
    }

    Authority authority;
    TemporaryDirectory files;
    const std::string ca = files.file("ca.pem", authority.certificate());
    std::unique_ptr<Broker> broker;
};

TEST_F(TlsCommand, IsAskedForByAUrlOrByAnyOfItsOptions) {
    start({});
    EXPECT_EQ(pub(at() + Words{"--cafile", ca}).code, 0);
    const auto url = "mqtts://localhost:" + std::to_string(broker->port());
    EXPECT_EQ(pub({"-L", url, "--cafile", ca}).code, 0);
    EXPECT_EQ(pub({"-L", "MQTTS" + url.substr(5) + "/a", "--cafile", ca}).code, 0);
    const Words with_store = {"env", "SSL_CERT_FILE=" + ca};
    const auto plain = tortoise({"pub", "-t", "a", "-m", "x"});
    EXPECT_EQ(test::run(with_store + plain + Words{"-L", url}).code, 0);
    EXPECT_EQ(test::run(with_store + plain + at() + Words{"--tls-use-os-certs"}).code, 0);
    EXPECT_EQ(test::run(with_store + plain + at() + Words{"--tls-alpn", "mqtt"}).code, 0);
    EXPECT_EQ(test::run(plain + at()).code, 3); // no TLS
}

TEST_F(TlsCommand, HasItsPort) {
    EXPECT_THAT(pub({"-h", "127.0.0.1", "--cafile", ca}).err, HasSubstr("127.0.0.1:8883"));
    EXPECT_THAT(pub({"-L", "mqtts://127.0.0.1"}).err, HasSubstr("127.0.0.1:8883"));
    EXPECT_THAT(pub({"-L", "mqtts://[::1]"}).err, HasSubstr("[::1]:8883"));
}

TEST_F(TlsCommand, TellsWhichCheckFailedAndWhatToDo) {
    start({}, {.name = "old broker", .until = std::chrono::hours(-1)});
    auto ended = pub(at() + Words{"--cafile", ca});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err,
                AllOf(StartsWith("tortoise pub: no secure connection to localhost:"),
                      HasSubstr("'CN=old broker' expired on "), HasSubstr("renew the broker's certificate")));
    start({}, {.for_names = "DNS:broker.example"});
    ended = pub(at() + Words{"--cafile", ca});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("is not for 'localhost' but for broker.example"), HasSubstr("(-h)")));
    ended = pub(at() + Words{"--cafile", files.file("other.pem", Authority("Other").certificate())});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("--cafile"));
    start({.maximum = TlsVersion::v1_2});
    ended = pub(at() + Words{"--cafile", ca, "--tls-version", "tlsv1.3"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("see --tls-version"));
    EXPECT_EQ(pub(at() + Words{"--cafile", ca, "--tls-version", "tlsv1.2"}).code, 0);
}

TEST_F(TlsCommand, WithoutChecksWarnsAndConnects) {
    start({}, {.for_names = "DNS:elsewhere"});
    const auto ended = pub(at() + Words{"--insecure"});
    EXPECT_EQ(ended.code, 0);
    EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise pub: warning: TLS without verification (--insecure)")));
    EXPECT_THAT(pub(at() + Words{"--insecure", "--quiet"}).err, IsEmpty());
}

TEST_F(TlsCommand, ShowsACertificate) {
    start({.ca_certificates = {authority.certificate()}, .require_client_certificate = true});
    auto ended = pub(at() + Words{"--cafile", ca});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("requires a client certificate"), HasSubstr("give --cert and --key")));

    const auto client = authority.issue({.name = "client"});
    const auto certificate = files.file("client.pem", client.certificate());
    const Words with = at() + Words{"--cafile", ca, "--cert", certificate};
    EXPECT_EQ(pub(with + Words{"--key", files.file("client.key", client.key())}).code, 0);
    const Words encrypted = with + Words{"--key", files.file("secret.key", client.key("sesame"))};
    EXPECT_EQ(pub(encrypted + Words{"--keypass", "sesame"}).code, 0);
    ended = pub(encrypted + Words{"--keypass", "open-it"});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("the key in --key '"), HasSubstr("cannot be decrypted with the passphrase"),
                                 Not(HasSubstr("open-it"))));
    EXPECT_THAT(pub(encrypted).err, HasSubstr("is encrypted, and there is no --keypass"));
    ended = pub(with + Words{"--key", files.file("other.key", authority.issue().key())});
    EXPECT_EQ(ended.code, 1);
    EXPECT_THAT(ended.err, HasSubstr("does not belong to the certificate 'CN=client'"));

    const auto stranger = Authority("Stranger").issue();
    ended = pub(at() +
                Words{"--cafile", ca, "--cert", files.file("stranger.pem", stranger.certificate() + stranger.key())});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("give a certificate that the broker accepts"));
}

TEST_F(TlsCommand, SharesAKey) {
    start_as_it_is({.psk = {{"lamp", "\x01\xAB"}}});
    EXPECT_EQ(pub(at() + Words{"--psk", "01aB", "--psk-identity", "lamp"}).code, 0);
    const auto ended = pub(at() + Words{"--psk", "01ac", "--psk-identity", "lamp"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, AllOf(HasSubstr("no secure connection"), Not(HasSubstr("01ac"))));
}

TEST_F(TlsCommand, OffersProtocolsAndCiphers) {
    start({.alpn = {"mqtt"}});
    EXPECT_EQ(pub(at() + Words{"--cafile", ca, "--tls-alpn", "h2", "--tls-alpn", "mqtt"}).code, 0);
    const auto ended = pub(at() + Words{"--cafile", ca, "--tls-alpn", "h2"});
    EXPECT_EQ(ended.code, 3);
    EXPECT_THAT(ended.err, HasSubstr("ALPN"));
    const std::string both = "ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256";
    EXPECT_EQ(pub(at() + Words{"--cafile", ca, "--ciphers", both}).code, 0);
    for (const std::string wrong : {"ROT13", "TLS_ROT13"})
        EXPECT_THAT(pub(at() + Words{"--cafile", ca, "--ciphers", wrong}).err, HasSubstr("--ciphers '" + wrong + "'"));
}

TEST_F(TlsCommand, NamesFilesThatCannotBeUsed) {
    const std::pair<Words, const char*> all[] = {
        {{"--cafile", "/nowhere/ca.pem"}, "--cafile: cannot read '/nowhere/ca.pem': No such file"},
        {{"--capath", "/nowhere"}, "--capath '/nowhere' is not a directory"},
        {{"--cert", "/nowhere/c.pem"}, "--cert: cannot read '/nowhere/c.pem': No such file"},
        {{"--cert", ca, "--key", "/nowhere/key"}, "--key: cannot read '/nowhere/key': No such file"},
        {{"--cafile", files.file("junk", "junk")}, "holds no certificate"},
    };
    for (const auto& [words, text] : all) {
        const auto ended = pub(words);
        EXPECT_EQ(ended.code, 1) << text;
        EXPECT_THAT(ended.err, HasSubstr(text));
    }
}

TEST_F(TlsCommand, RefusesWhatHasNoSense) {
    const std::pair<Words, const char*> all[] = {
        {{"--tls-version", "tlsv1.1"}, "the versions are tlsv1.2 and tlsv1.3, not 'tlsv1.1'"},
        {{"--psk", "0011"}, "give --psk-identity"},
        {{"--psk-identity", "lamp"}, "give --psk KEY"},
        {{"--psk", "secret", "--psk-identity", "lamp"}, "hexadecimal digits"},
        {{"--psk", "001", "--psk-identity", "lamp"}, "hexadecimal digits"},
        {{"--psk", "00", "--psk-identity", "lamp", "--cafile", ca}, "in place of certificates"},
        {{"--key", "k.pem"}, "give --cert FILE"},
        {{"--keypass", "x"}, "give --cert"},
        {{"--tls-alpn", std::string(256, 'x')}, "1 to 255 octets, not 256"},
        {{"--tls-use-os-certs", "--cafile", ca}, "give one of them"},
        {{"--cafile", ""}, "needs a value that is not empty"},
        {{"-L", "mqtt://localhost", "--cafile", ca}, "--cafile: mqtt://… without TLS: write mqtts://"},
        {{"-L", "unix:///run/x", "--insecure"}, "--insecure: unix://… without TLS"},
        {{"--unix", "/run/x", "--cert", "c.pem"}, "--cert: a Unix socket is without TLS"},
        {{"--unix", "/run/x", "-L", "mqtt://localhost"}, "give --url or --unix, not both"},
        {{"--unix", "/" + std::string(200, 'x')}, "has a path of 201 bytes; allowed on Unix sockets: at most 107"},
        {{"-L", "http://localhost"}, "scheme 'http' is not supported"},
        {{"-L", "ws://localhost", "--cafile", ca}, "--cafile: ws://… without TLS: write mqtts:// or wss://"},
        {{"--header", "X: secret"}, "--header: only WebSocket has headers: give --url ws://"},
        {{"-L", "ws://localhost", "--header", "secret"}, "--header takes 'NAME: VALUE'"},
        {{"-L", "ws://localhost", "--header", "a b: secret"}, "'a b' is no name of a header"},
        {{"-L", "ws://localhost/a#part"}, "has a '#'"},
        {{"--proxy", "ftp://ann:secret@p"}, "proxy 'ftp://…@p' has a scheme that is not supported; allowed: http://"},
    };
    for (const auto& [words, text] : all) {
        const auto ended = pub(words);
        EXPECT_EQ(ended.code, 2) << text;
        EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise pub: "), HasSubstr(text), Not(HasSubstr("secret"))));
    }
}

// ---- Unix sockets --------------------------------------------------------------------------------------------------

TEST(UnixCommand, ConnectsByPathUrlAndAbstractName) {
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/a b%.sock";
    for (const auto& name : {path, "@tortoise-cli-test-" + std::to_string(::getpid())}) {
        const Broker broker({.unix_path = name});
        ASSERT_TRUE(broker.ok()) << broker.ok().error().describe();
        const auto ended = test::run(tortoise({"pub", "--unix", name, "-t", "a", "-m", "x", "-q", "1", "-d"}));
        EXPECT_EQ(ended.code, 0) << ended.err;
        EXPECT_THAT(ended.err, HasSubstr("connected to " + name));
    }
    const Broker broker({.unix_path = directory.path() + "/plain.sock"});
    EXPECT_EQ(test::run(tortoise({"pub", "-L", broker.url(), "-t", "a", "-m", "x"})).code, 0);
    EXPECT_EQ(
        test::run({"sh", "-c", "cd " + directory.path() + " && " TORTOISE_PROGRAM " pub --unix plain.sock -t a -m x"})
            .code,
        0);
}

TEST(UnixCommand, ThatIsNotThereIsNamed) {
    const auto ended = test::run(tortoise({"pub", "--unix", "/nowhere/mqtt.sock", "-t", "a", "-m", "x"}));
    EXPECT_EQ(ended.code, 3);
    EXPECT_EQ(ended.err, "tortoise pub: cannot connect to /nowhere/mqtt.sock: No such file or directory\n");
}

// ---- WebSocket -----------------------------------------------------------------------------------------------------

/// The port in the line that says where a server listens.
std::string port_of(test::Process& server) {
    EXPECT_TRUE(server.says("listening on ")) << server.err();
    EXPECT_TRUE(server.says("\n"));
    const auto line = server.out().substr(0, server.out().find('\n'));
    return std::to_string(std::stoi(line.substr(line.rfind(':') + 1)));
}

TEST(WebSocketCommand, GoesThroughTheProxyOfTheKitToTheBroker) {
    const Authority authority;
    const auto identity = authority.issue();
    const TemporaryDirectory files;
    const auto ca = files.file("ca.pem", authority.certificate());
    const auto certificate = files.file("broker.pem", identity.certificate() + identity.key());
    test::Process broker(tortoise({"broker", "--port", "0", "--websocket", "--cert", certificate}));
    const auto secured = "wss://127.0.0.1:" + port_of(broker) + "/any/path";
    test::Process proxy(tortoise({"proxy", "--listen", "0", "--websocket", "--to", secured, "--to-cafile", ca}));
    const auto plain = "ws://127.0.0.1:" + port_of(proxy);
    EXPECT_EQ(test::run(tortoise({"pub", "-L", plain, "--header", "X: y", "-t", "a", "-m", "x", "-r", "-q", "2"})).code,
              0);
    const auto heard = test::run(tortoise({"sub", "-L", secured, "--cafile", ca, "-t", "a", "-C", "1"}));
    EXPECT_EQ(heard.out, "x\n") << heard.err;
    const auto wrong = test::run(tortoise({"broker", "--websocket", "--unix", "/tmp/x"}));
    EXPECT_EQ(wrong.code, 2);
    EXPECT_THAT(wrong.err, HasSubstr("--websocket: not on a Unix socket"));
}

// ---- The broker ----------------------------------------------------------------------------------------------------

TEST(SecureBroker, DemandsCertificates) {
    const Authority authority;
    const auto identity = authority.issue(), client = authority.issue({.name = "client"});
    const TemporaryDirectory files;
    const auto ca = files.file("ca.pem", authority.certificate());
    test::Process broker(tortoise({"broker", "--port", "0", "--cafile", ca, "--require-certificate", "--cert",
                                   files.file("broker.pem", identity.certificate()), "--key",
                                   files.file("broker.key", identity.key()), "--tls-version", "tlsv1.3"}));
    ASSERT_TRUE(broker.says("listening on 127.0.0.1:")) << broker.err();
    ASSERT_TRUE(broker.says("\n"));
    const auto port = broker.out().substr(broker.out().rfind(':') + 1);
    const auto pub = tortoise({"pub", "-p", port.substr(0, port.find('\n')), "-t", "a", "-m", "x", "--cafile", ca});
    EXPECT_EQ(test::run(pub).code, 3);
    EXPECT_EQ(test::run(pub + Words{"--cert", files.file("client.pem", client.certificate() + client.key())}).code, 0);
}

TEST(SecureBroker, SharesKeysAndListensOnUnixSockets) {
    test::Process secure(
        tortoise({"broker", "--port", "0", "--psk", "lamp:00ff", "--psk", "door:01", "--tls-alpn", "mqtt"}));
    ASSERT_TRUE(secure.says("listening on 127.0.0.1:")) << secure.err();
    ASSERT_TRUE(secure.says("\n"));
    const auto port = secure.out().substr(secure.out().rfind(':') + 1);
    EXPECT_EQ(test::run(tortoise({"pub", "-p", port.substr(0, port.find('\n')), "-t", "a", "-m", "x", "--psk", "00FF",
                                  "--psk-identity", "lamp"}))
                  .code,
              0);
    const TemporaryDirectory directory;
    const auto path = directory.path() + "/mqtt.sock";
    test::Process local(tortoise({"broker", "--unix", path}));
    ASSERT_TRUE(local.says("listening on " + path + "\n")) << local.err();
    EXPECT_EQ(test::run(tortoise({"pub", "--unix", path, "-t", "a", "-m", "x"})).code, 0);
}

TEST(SecureBroker, SaysWhatItCannotUse) {
    const std::tuple<Words, int, const char*> all[] = {
        {{"--key", "k"}, 2, "TLS needs a certificate (--cert FILE) or shared keys (--psk)"},
        {{"--tls-version", "tlsv1.3"}, 2, "TLS needs a certificate"},
        {{"--cert", "c", "--require-certificate"}, 2, "give --cafile FILE"},
        {{"--psk", "lamp"}, 2, "--psk takes NAME:KEY"},
        {{"--psk", "lamp:xyz"}, 2, "--psk takes NAME:KEY"},
        {{"--psk", "lamp:00", "--tls-version", "1.1"}, 2, "the versions are"},
        {{"--psk", "lamp:00", "--unix", "/run/x"}, 2, "a Unix socket has no TLS"},
        {{"--cert", "/nowhere/c.pem"}, 1, "--cert: cannot read '/nowhere/c.pem': No such file"},
        {{"--unix", "/nowhere/mqtt.sock"}, 1, "cannot listen on /nowhere/mqtt.sock: No such file"},
        {{"--unix", std::string(200, 'x')}, 1, "has 200 bytes; allowed: 1 to 107"},
    };
    for (const auto& [words, code, text] : all) {
        const auto ended = test::run(tortoise({"broker", "--port", "0"}) + words);
        EXPECT_EQ(ended.code, code) << text;
        EXPECT_THAT(ended.err, AllOf(StartsWith("tortoise broker: "), HasSubstr(text)));
    }
}

} // namespace
