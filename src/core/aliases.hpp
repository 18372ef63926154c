#pragma once
/// Topic aliases of one connection, in both directions. [MQTT-3.3.2.3.4]

#include <cstdint>
#include <list>
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

} // namespace tortoise::core
