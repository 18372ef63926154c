#pragma once
/// Topic aliases of one connection, in both directions. [MQTT-3.3.2.3.4]

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tortoise::core {

/// Resolves what the broker sends.
class IncomingAliases {
public:
    /// A new connection: aliases up to `maximum` may come.
    void reset(std::uint16_t maximum);
    /// The topic that a PUBLISH means: its own, remembered for the alias, or the alias's. Nothing: the alias is 0,
    /// above the maximum, or unknown. The view stays valid until settle().
    std::optional<std::string_view> resolve(std::uint32_t alias, std::string_view topic);
    /// Nobody looks at the topics resolved so far any more.
    void settle() { replaced_.clear(); }

private:
    std::uint16_t maximum_ = 0;
    std::vector<std::unique_ptr<std::string>> topics_; // by alias - 1; on the heap, so that views survive a replacement
    std::vector<std::unique_ptr<std::string>> replaced_;
};

/// Chooses aliases for what we send: the least recently used one gives way.
class OutgoingAliases {
public:
    struct Use {
        std::uint16_t alias = 0; // 0: none
        bool known = false;      // the broker knows it: the topic can be left out
    };
    /// A new connection: the broker allows that many.
    void reset(std::uint16_t maximum);
    Use use(std::string_view topic);

private:
    struct Entry {
        std::string topic;
        std::uint16_t alias;
    };
    std::uint16_t maximum_ = 0;
    std::list<Entry> recent_; // most recently used first
    std::unordered_map<std::string_view, std::list<Entry>::iterator> by_topic_;
};

/// Aliases that the user names. What they stand for outlives connections; which of them the broker knows does not.
class NamedAliases {
public:
    /// The topic that a publish means: its own, or the one that the alias was named with. Nothing: with none. The view
    /// lives until the next call.
    std::optional<std::string_view> topic_of(std::uint32_t alias, std::string_view topic) const;
    void name(std::uint32_t alias, std::string_view topic);
    /// A new connection: the broker allows that many, and knows none.
    void reset(std::uint16_t maximum);
    /// Of a message that is sent now. The alias is none if the broker does not allow it.
    OutgoingAliases::Use use(std::uint32_t alias, std::string_view topic);

private:
    using Topics = std::map<std::uint32_t, std::string>;
    std::uint16_t maximum_ = 0;
    Topics named_, told_;
};

} // namespace tortoise::core
