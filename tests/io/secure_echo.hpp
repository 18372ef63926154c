#pragma once
/// A server that sends back what it gets, and clients that try it; over loopback, with TLS.

#include "io/connector.hpp"
#include "io/latch.hpp"
#include "io/tcp.hpp"
#include "support/certificates.hpp"
#include <gtest/gtest.h>
#include <list>

namespace tortoise::io {

/// Every name is here.
inline Result<Addresses> here(const std::string&, std::uint16_t port) {
    return Addresses{*Address::parse("127.0.0.1", port)};
}

/// Sends back what it gets.
struct EchoPeer final : Stream::Events {
    EchoPeer(Loop& l, std::shared_ptr<Stream> s) : loop(l), stream(std::move(s)) {
        stream->tell(this);
        stream->await_readable();
    }
    ~EchoPeer() { stream->close(); }
    EchoPeer(const EchoPeer&) = delete;
    EchoPeer& operator=(const EchoPeer&) = delete;
    void opened() override {}
    void not_opened(Error) override {}
    void writable() override {}
    void readable() override {
        const auto room = loop.read_buffer();
        const auto got = stream->read(room.data(), room.size());
        if (got.state == Transfer::failed) return stream->close();
        if (got.state == Transfer::moved) stream->write({room.data(), got.size});
        stream->await_readable();
    }
    Loop& loop;
    std::shared_ptr<Stream> stream;
};

/// A connection that says something and awaits it back.
struct Caller final : Stream::Events {
    Caller(Loop& l, Resolver& resolver, Means means) : loop(l), connector(l, resolver, std::move(means)) {}
    ~Caller() {
        if (stream) stream->finish();
    }
    Caller(const Caller&) = delete;
    Caller& operator=(const Caller&) = delete;

    void call(const Url& url) {
        connector.start(url, [this](std::shared_ptr<Stream> s, Error error) {
            if (!s) return end(std::move(error));
            stream = std::move(s);
            stream->tell(this);
            stream->write("hello");
            stream->await_readable();
        });
    }
    void end(Error error) {
        result = std::move(error);
        done.set();
    }
    void opened() override {}
    void not_opened(Error) override {}
    void writable() override {}
    void readable() override {
        const auto room = loop.read_buffer();
        auto got = stream->read(room.data(), room.size());
        if (got.state == Transfer::failed) return end(std::move(got.error));
        if (got.state == Transfer::blocked) return stream->await_readable();
        end(Octets(room.data(), got.size) == "hello" ? Error{} : make_error(Errc::not_mqtt, "no echo"));
    }
    Loop& loop;
    Connector connector;
    std::shared_ptr<Stream> stream;
    Error result;
    Latch done;
};

class SecureEcho : public ::testing::Test {
protected:
    ~SecureEcho() override {
        on_loop([this] {
            acceptor.reset();
            peers.clear();
        });
    }

    template <class Job> void on_loop(Job job) {
        Latch done;
        loop.post([&] {
            job();
            done.set();
        });
        done.wait();
    }

    template <class Wrap> void listen(Wrap wrap) {
        on_loop([&] {
            acceptor = *listen_tcp(loop, *Address::parse("127.0.0.1", 0), [this, wrap](std::shared_ptr<Stream> stream) {
                peers.emplace_back(loop, wrap(std::move(stream)));
            });
        });
    }
    void serve(const ServerTls& options) {
        auto context = make_server_tls(options);
        ASSERT_TRUE(context) << context.error().describe();
        server = *context;
        listen([this](std::shared_ptr<Stream> stream) { return secure_server(loop, std::move(stream), server); });
    }
    void serve(const test::Identity& identity) {
        serve({.tls = {.certificate = identity.certificate(), .key = identity.key()}});
    }

    /// No code: the echo came back.
    Error call(std::shared_ptr<TlsContext> context, const std::string& host = "localhost") {
        const auto url = *parse_url("mqtts://" + host + ":" + std::to_string(acceptor->port()));
        std::unique_ptr<Caller> caller;
        on_loop([&] {
            caller = std::make_unique<Caller>(loop, resolver, Means{.tls = std::move(context)});
            caller->call(url);
        });
        caller->done.wait();
        Error result;
        on_loop([&] {
            result = std::move(caller->result);
            caller.reset();
        });
        return result;
    }
    Error call(const Tls& options, const std::string& host = "localhost") {
        auto context = make_client_tls(options);
        return context ? call(*context, host) : context.error();
    }
    Tls trusting() const { return {.ca_certificates = {authority.certificate()}}; }

    detail::Ref<Loops> loops = Loops::make(1);
    Loop& loop = loops->next();
    Resolver resolver{&here};
    test::Authority authority;
    std::shared_ptr<TlsContext> server;
    std::shared_ptr<Acceptor> acceptor;
    std::list<EchoPeer> peers;
};

} // namespace tortoise::io
