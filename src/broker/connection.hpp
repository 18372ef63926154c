#pragma once
/// One network connection: what arrived and is not a packet yet, what waits to be written, what was negotiated.

#include "broker/context.hpp"
#include "broker/limits.hpp"
#include "broker/message.hpp"

#include <memory>
#include <string>
#include <tortoise/core/codec.hpp>
#include <unordered_map>

namespace tortoise::broker {

class Session;

/// What a client allows, from its CONNECT.
struct ClientLimits {
    std::uint32_t receive_maximum = 65'535;
    std::uint32_t maximum_packet_size = core::largest_packet;
    std::uint32_t topic_alias_maximum = 0;
    bool problem_information = true;
};

class Connection {
public:
    Connection(Context&, ClientId, Time now);

    const ClientId id;
    core::FrameReader reader;

    // Where it stands: opened, then established by a CONNACK without refusal, then closing.
    Version version = Version::v5;
    bool silent = true; // nothing came yet
    bool established = false;
    Session* session = nullptr;
    ClientLimits client = {};
    std::uint32_t session_expiry_asked = 0;              // by CONNECT, in seconds
    std::optional<std::uint16_t> server_keep_alive = {}; // in seconds, if it is not the client's
    std::chrono::milliseconds silence_allowed{0};        // one and a half times the keep alive; 0: for ever
    Time opened;
    Time last_packet;

    /// Sends an answer. False if it is larger than the client takes or cannot be expressed: then nothing was sent.
    bool send(const core::Packet&);
    bool send(const core::Ack&);

    enum class Outcome { sent, too_large };
    /// Sends a message: alias, remaining expiry and subscription identifiers are added here.
    Outcome publish(Time now, const Letter&, const Grant&, bool duplicate, core::PacketId);

    /// No room for more messages: they wait in the session until the caller has written some.
    bool blocked() const noexcept { return unwritten_ > limits::unwritten_soft; }
    /// True if the client asks and asks and does not read the answers.
    bool drowned() const noexcept { return unread_answers_ > limits::unread_answers; }
    void wrote(std::size_t octets) noexcept;
    void take_output(std::string& into);

    /// Nothing more goes out than what is there, and nothing more comes in.
    void close();
    bool closing() const noexcept { return closing_; }

    /// The topic of a PUBLISH, its alias resolved and remembered; the views hold until the alias is set again.
    /// A refusal is a protocol violation. [MQTT5-3.3.2-7] [MQTT5-3.3.2-12]
    Result<std::string_view> resolve_topic(std::string_view topic, std::optional<std::uint32_t> alias);

    Paces paces; // how fast it may be

    /// Enhanced authentication, as far as it is. [MQTT-4.12]
    struct Authentication {
        std::string method = {};                                      // of CONNECT; empty: none
        std::unique_ptr<testing::BrokerAuthentication> exchange = {}; // that is under way
        std::string connect = {};                                     // the CONNECT that awaits its end
    };
    Authentication authentication;

    // Receive Maximum of the broker: QoS 2 messages received on this connection and not released. [MQTT5-3.3.4-7]
    std::uint32_t unreleased = 0;

    bool marked_touched = false;

private:
    struct AliasOut {
        std::uint32_t alias = 0; // 0: none
        bool known = false;      // the client knows it: the topic can stay empty
    };
    struct TextHash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>{}(text); }
    };

    template <class P> bool answer(const P&);
    bool append(core::Publish, PropertiesView, bool alias_known);
    PropertiesView properties_for(Time now, const Letter&, const Grant&, std::uint32_t alias, Properties& own) const;
    AliasOut alias_for(std::string_view topic) const;
    void learn_alias(std::string_view topic, std::uint32_t alias);
    void appended(std::size_t octets);
    void touch();

    Context& context_;
    std::string out_;
    std::size_t unwritten_ = 0;
    std::size_t unread_answers_ = 0;
    bool closing_ = false;
    std::unordered_map<std::uint32_t, std::string> aliases_in_;
    std::unordered_map<std::string, std::uint32_t, TextHash, std::equal_to<>> aliases_out_;
    std::vector<std::string> alias_topics_; // by alias - 1
    std::size_t next_alias_ = 0;            // index of the alias that the next new topic gets
};

} // namespace tortoise::broker
