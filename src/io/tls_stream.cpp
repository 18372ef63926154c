// TLS as a stream over a stream. OpenSSL reads and writes the stream below through a BIO, so there is no buffer between
// them, but for records that are written together.
#include "core/give_back.hpp"
#include "io/tls_context.hpp"
#include "io/tls_error.hpp"
#include <cerrno>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <optional>
#include <utility>

namespace tortoise::io {

namespace {

// Each record for itself would cost a call, and a way through the kernel's layers.
constexpr std::size_t most_records_together = 4;

class TlsStream final : public Stream, Stream::Events, public std::enable_shared_from_this<TlsStream> {
public:
    using Events = Stream::Events;

    TlsStream(Loop& loop, std::shared_ptr<Stream> over, std::shared_ptr<TlsContext> context)
        : loop_(loop), over_(std::move(over)), context_(std::move(context)), peer_(over_->peer()) {}
    ~TlsStream() { close(); }
    TlsStream(const TlsStream&) = delete;
    TlsStream& operator=(const TlsStream&) = delete;

    void connect(const std::string& host, Events&);
    void accept();

    void tell(Events* events) noexcept override { events_ = events; }
    void await_readable() override;
    void await_writable() override;
    Transfer read(char* into, std::size_t room) override;
    Transfer write(Octets, bool more) override;
    const std::string& peer() const noexcept override { return peer_; }
    void close() noexcept override;
    void finish() noexcept override;
    void reset() noexcept override;

    // What OpenSSL calls.
    static int bio_read(BIO*, char* into, std::size_t room, std::size_t* got);
    static int bio_write(BIO*, const char* from, std::size_t size, std::size_t* put);
    static long bio_control(BIO*, int command, long, void*);
    static int certificate_checked(int ok, X509_STORE_CTX*);
    static int certificate_asked(SSL*, void*);
    static int session_offered(SSL*, SSL_SESSION*);

private:
    enum class Awaits : std::uint8_t { nothing, readable, writable };

    static TlsStream& of(const SSL* ssl) { return *static_cast<TlsStream*>(SSL_get_app_data(ssl)); }
    static TlsStream& of(BIO* bio) { return *static_cast<TlsStream*>(BIO_get_data(bio)); }
    OpenSslContext& context() noexcept { return OpenSslContext::of(*context_); }

    bool make_ssl();
    bool set_host(const std::string& host);
    void shake_hands();
    void established();
    void not_established(Error);
    void leave(void (Stream::*how)() noexcept) noexcept;
    Transfer outcome(int result, Awaits&);
    Transfer write_record(Octets);
    Transfer write_together(Octets, bool more);
    Transfer seal(Octets);
    Transfer flush_sealed(bool more);
    Error failure(int ssl_error);
    void await(Awaits&, Awaits otherwise);
    template <class Tell> void later(Tell);

    void opened() override {}
    void not_opened(Error) override {}
    void readable() override { became(Awaits::readable); }
    void writable() override { became(Awaits::writable); }
    void became(Awaits);

    Loop& loop_;
    std::shared_ptr<Stream> over_;
    const std::shared_ptr<TlsContext> context_;
    const std::string peer_;
    std::string host_; // whom the certificate has to name; also the name of its session
    SslHandle ssl_;
    Events* events_ = nullptr;
    Error below_;                 // why the stream below failed
    Error check_;                 // of a certificate that failed
    std::optional<Error> broken_; // no more reads, no more writes
    HandshakeState handshake_;
    std::string sealed_;            // records that are being written together
    std::size_t sealed_sent_ = 0;   // of its octets
    std::size_t sealed_octets_ = 0; // of the user's, that are in them and were not reported as written
    bool shaking_ = false;          // a client, until it is told how it went
    bool established_ = false;      // and counted
    bool offered_session_ = false;
    bool sealing_ = false;                                                // records go to sealed_
    bool more_ = false;                                                   // OpenSSL may hold octets of the peer
    Awaits read_needs_ = Awaits::nothing, write_needs_ = Awaits::nothing; // what the last one was stopped by
    Awaits read_waits_ = Awaits::nothing, write_waits_ = Awaits::nothing; // what was asked for
};

BIO_METHOD* bio_method() {
    static const auto method = [] {
        BioMethodHandle m(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "tortoise stream"));
        BIO_meth_set_read_ex(m.get(), &TlsStream::bio_read);
        BIO_meth_set_write_ex(m.get(), &TlsStream::bio_write);
        BIO_meth_set_ctrl(m.get(), &TlsStream::bio_control);
        return m;
    }();
    return method.get();
}

bool TlsStream::make_ssl() {
    ERR_clear_error();
    ssl_.reset(SSL_new(context().native()));
    auto* bio = ssl_ ? BIO_new(bio_method()) : nullptr;
    if (!bio) return false;
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_.get(), bio, bio);
    SSL_set_app_data(ssl_.get(), this);
    handshake_.versions = context().versions;
    if (!context().server && !context().psk.empty()) handshake_.psk_identity = context().psk.begin()->first;
    over_->tell(this);
    return true;
}

/// Names and addresses are checked differently, and only names are asked for. Common names are no names. RFC 9525, 6
bool TlsStream::set_host(const std::string& host) {
    host_ = host;
    if (host_.ends_with('.')) host_.pop_back();
    auto* check = SSL_get0_param(ssl_.get());
    X509_VERIFY_PARAM_set_hostflags(check, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (X509_VERIFY_PARAM_set1_ip_asc(check, host_.c_str()) == 1) return true;
    ERR_clear_error();
    return X509_VERIFY_PARAM_set1_host(check, host_.data(), host_.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl_.get(), host_.c_str()) == 1;
}

void TlsStream::connect(const std::string& host, Events& events) {
    events_ = &events;
    shaking_ = true;
    const auto& name = context().server_name.empty() ? host : context().server_name;
    const bool ready = make_ssl() && set_host(name);
    if (ready) {
        SSL_set_connect_state(ssl_.get());
        auto* session = context().session_with(host_);
        offered_session_ = session && SSL_set_session(ssl_.get(), session) == 1;
    } else {
        check_ = make_error(Errc::tls_handshake, "'" + name + "': " + last_openssl_error());
    }
    later([ready](TlsStream& self) { ready ? self.shake_hands() : self.not_established(self.check_); });
}

void TlsStream::accept() {
    more_ = true;
    if (!make_ssl())
        broken_ = make_error(Errc::tls_handshake, last_openssl_error());
    else
        SSL_set_accept_state(ssl_.get());
}

void TlsStream::shake_hands() {
    ERR_clear_error();
    const auto result = outcome(SSL_do_handshake(ssl_.get()), read_needs_);
    switch (result.state) {
    case Transfer::moved: return established();
    case Transfer::blocked: return await(read_waits_, read_needs_);
    case Transfer::failed: return not_established(result.error);
    }
}

void TlsStream::established() {
    shaking_ = false;
    more_ = true; // the server may have gone on already
    if (events_) events_->opened();
}

void TlsStream::not_established(Error error) {
    shaking_ = false;
    // Whatever is wrong, it shall not be the same session again.
    if (offered_session_) context().forget_session(host_);
    if (error.code != Errc::connection_lost)
        error.text = peer_ + ": " + error.text;
    else
        error.text += " during the TLS handshake";
    if (events_) events_->not_opened(std::move(error));
}

/// What came of a call of OpenSSL that moves octets; and what it needs to go on.
Transfer TlsStream::outcome(int result, Awaits& needs) {
    needs = Awaits::nothing;
    if (result == 1) {
        if (!std::exchange(established_, true)) context().count(SSL_session_reused(ssl_.get()) == 1);
        return {};
    }
    const int error = SSL_get_error(ssl_.get(), result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        needs = error == SSL_ERROR_WANT_READ ? Awaits::readable : Awaits::writable;
        return {.state = Transfer::blocked};
    }
    broken_ = failure(error);
    return {.state = Transfer::failed, .error = *broken_};
}

Error TlsStream::failure(int ssl_error) {
    if (ssl_error == SSL_ERROR_ZERO_RETURN) {
        return make_error(Errc::connection_lost, peer_ + " closed the connection");
    }
    if (ssl_error == SSL_ERROR_SYSCALL && below_.code) return below_;
    auto error = check_.code ? check_ : handshake_error(handshake_);
    ERR_clear_error();
    return error;
}

Transfer TlsStream::read(char* into, std::size_t room) {
    if (broken_) return {.state = Transfer::failed, .error = *broken_};
    Transfer all{.size = 0};
    // As much as there is: what stays with OpenSSL, nothing would report.
    while (all.size < room) {
        std::size_t got = 0;
        ERR_clear_error();
        auto one = outcome(SSL_read_ex(ssl_.get(), into + all.size, room - all.size, &got), read_needs_);
        if (one.state == Transfer::moved) {
            all.size += got;
            continue;
        }
        more_ = one.state == Transfer::failed; // that comes next
        return all.size > 0 ? all : one;
    }
    more_ = true;
    return all;
}

Transfer TlsStream::write(Octets octets, bool more) {
    if (broken_) return {.state = Transfer::failed, .error = *broken_};
    // Idle connections have no buffers. While there are whole records to write, each would get one anew.
    if (octets.size() >= SSL3_RT_MAX_PLAIN_LENGTH)
        SSL_clear_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
    else
        SSL_set_mode(ssl_.get(), SSL_MODE_RELEASE_BUFFERS);
    const bool greeted = SSL_is_init_finished(ssl_.get()) == 1; // else OpenSSL has more to write than these
    auto result = greeted || sealed_octets_ != 0 ? write_together(octets, more) : write_record(octets);
    if (result.state != Transfer::failed) return result;
    // The peer may have said why it went.
    char first = 0;
    std::size_t got = 0;
    Awaits ignored{};
    ERR_clear_error();
    const auto last_words = outcome(SSL_peek_ex(ssl_.get(), &first, 1, &got), ignored);
    if (last_words.state == Transfer::failed && last_words.error.code != Errc::connection_lost) return last_words;
    if (last_words.state == Transfer::moved) broken_.reset(); // it can still be read
    return result;
}

Transfer TlsStream::write_record(Octets octets) {
    std::size_t put = 0;
    ERR_clear_error();
    auto result = outcome(SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &put), write_needs_);
    result.size = put;
    return result;
}

/// All or nothing: who was told to wait comes again with the same octets. So nothing is left with OpenSSL that was not
/// written, and it has no difficulty with what it has to say in between.
Transfer TlsStream::write_together(Octets octets, bool more) {
    if (sealed_octets_ == 0) {
        const auto most = most_records_together * SSL3_RT_MAX_PLAIN_LENGTH;
        if (auto result = seal(octets.substr(0, most)); result.state != Transfer::moved) return result;
    }
    auto result = flush_sealed(more || octets.size() > sealed_octets_);
    switch (result.state) {
    case Transfer::moved: result.size = std::exchange(sealed_octets_, 0); break;
    case Transfer::blocked: write_needs_ = Awaits::writable; break;
    case Transfer::failed: broken_ = result.error; break;
    }
    return result;
}

Transfer TlsStream::seal(Octets octets) {
    sealed_.reserve(octets.size() + most_records_together * SSL3_RT_MAX_ENCRYPTED_OVERHEAD);
    sealing_ = true;
    Transfer result{};
    while (!octets.empty() && result.state == Transfer::moved) { // a record at a time
        std::size_t put = 0;
        ERR_clear_error();
        result = outcome(SSL_write_ex(ssl_.get(), octets.data(), octets.size(), &put), write_needs_);
        sealed_octets_ += put;
        octets.remove_prefix(put);
    }
    sealing_ = false;
    return result;
}

Transfer TlsStream::flush_sealed(bool more) {
    while (sealed_sent_ != sealed_.size()) {
        auto put = over_->write(Octets(sealed_).substr(sealed_sent_), more);
        if (put.state != Transfer::moved) return put;
        sealed_sent_ += put.size;
    }
    core::give_back(sealed_);
    sealed_sent_ = 0;
    return {};
}

// ---- Waiting -------------------------------------------------------------------------------------------------------

template <class Tell> void TlsStream::later(Tell tell) {
    loop_.post([self = shared_from_this(), tell] {
        if (self->events_) tell(*self);
    });
}

void TlsStream::await(Awaits& waits, Awaits what) {
    waits = what;
    what == Awaits::writable ? over_->await_writable() : over_->await_readable();
}

void TlsStream::await_readable() {
    if (more_ || broken_) return later([](TlsStream& self) { self.events_->readable(); });
    await(read_waits_, read_needs_ == Awaits::writable ? Awaits::writable : Awaits::readable);
}

void TlsStream::await_writable() {
    if (broken_) return later([](TlsStream& self) { self.events_->writable(); });
    await(write_waits_, write_needs_ == Awaits::readable ? Awaits::readable : Awaits::writable);
}

void TlsStream::became(Awaits what) {
    const auto self = shared_from_this();
    const bool reads = read_waits_ == what, writes = write_waits_ == what;
    if (reads) read_waits_ = Awaits::nothing;
    if (writes) write_waits_ = Awaits::nothing;
    if (!events_) return;
    if (shaking_) return shake_hands();
    if (reads) events_->readable();
    if (writes && events_) events_->writable();
}

// ---- The end -------------------------------------------------------------------------------------------------------

void TlsStream::close() noexcept { leave(&Stream::close); }
void TlsStream::reset() noexcept { leave(&Stream::reset); }

void TlsStream::leave(void (Stream::*how)() noexcept) noexcept {
    events_ = nullptr;
    if (!over_) return;
    // To OpenSSL, what ends without a goodbye is not to be resumed; connections that are lost are why it is wanted.
    if (ssl_) SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    (*over_.*how)();
    over_ = nullptr;
}

void TlsStream::finish() noexcept {
    events_ = nullptr;
    if (!over_) return;
    if (ssl_ && !broken_ && established_) {
        ERR_clear_error();
        SSL_shutdown(ssl_.get()); // says goodbye; if that does not fit in now, the end says enough
        ERR_clear_error();
        SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    over_->finish();
    over_ = nullptr;
}

// ---- From OpenSSL --------------------------------------------------------------------------------------------------

int TlsStream::bio_read(BIO* bio, char* into, std::size_t room, std::size_t* got) {
    auto& self = of(bio);
    BIO_clear_retry_flags(bio);
    *got = 0;
    if (!self.over_) return 0;
    auto result = self.over_->read(into, room);
    if (result.state == Transfer::blocked) BIO_set_retry_read(bio);
    if (result.state == Transfer::failed) self.below_ = std::move(result.error);
    if (result.state != Transfer::moved) return 0;
    *got = result.size;
    return 1;
}

int TlsStream::bio_write(BIO* bio, const char* from, std::size_t size, std::size_t* put) {
    auto& self = of(bio);
    BIO_clear_retry_flags(bio);
    *put = 0;
    if (!self.over_) return 0;
    if (self.sealing_) {
        self.sealed_.append(from, size);
        *put = size;
        return 1;
    }
    auto result = self.flush_sealed(true); // records keep their order
    if (result.state == Transfer::moved) result = self.over_->write({from, size});
    if (result.state == Transfer::blocked) BIO_set_retry_write(bio);
    if (result.state == Transfer::failed) self.below_ = std::move(result.error);
    if (result.state != Transfer::moved) return 0;
    *put = result.size;
    return 1;
}

long TlsStream::bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int TlsStream::certificate_checked(int ok, X509_STORE_CTX* checking) {
    if (ok == 1) return ok;
    const auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(checking, SSL_get_ex_data_X509_STORE_CTX_idx()));
    auto& self = of(ssl);
    self.check_ = certificate_error(checking, self.host_);
    return ok;
}

/// Before OpenSSL chooses a certificate of ours: once the server has asked for one.
int TlsStream::certificate_asked(SSL* ssl, void*) {
    auto& self = of(ssl);
    self.handshake_.certificate_asked = true;
    self.handshake_.certificate_given = self.context().has_certificate;
    return 1;
}

int TlsStream::session_offered(SSL* ssl, SSL_SESSION* session) {
    auto& self = of(ssl);
    self.context().keep_session(self.host_, SessionHandle(session));
    return 1; // it is ours now
}

} // namespace

void watch_client(OpenSslContext& context) {
    SSL_CTX_set_verify(context.native(), context.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       context.verify ? &TlsStream::certificate_checked : nullptr);
    SSL_CTX_set_cert_cb(context.native(), &TlsStream::certificate_asked, nullptr);
    SSL_CTX_sess_set_new_cb(context.native(), &TlsStream::session_offered);
}

std::shared_ptr<Stream> secure_client(Loop& loop, std::shared_ptr<Stream> over, std::shared_ptr<TlsContext> context,
                                      const std::string& host, Stream::Events& events) {
    auto stream = std::make_shared<TlsStream>(loop, std::move(over), std::move(context));
    stream->connect(host, events);
    return stream;
}

std::shared_ptr<Stream> secure_server(Loop& loop, std::shared_ptr<Stream> over, std::shared_ptr<TlsContext> context) {
    auto stream = std::make_shared<TlsStream>(loop, std::move(over), std::move(context));
    stream->accept();
    return stream;
}

} // namespace tortoise::io
