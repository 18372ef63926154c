#include "core/publish_run.hpp"

#include "core/codec/frame.hpp"
#include "core/codec/scalar.hpp"

namespace tortoise::core {

namespace {

constexpr std::uint32_t publish = 0x30, retained = 0x01;

std::size_t body_size(Version version, const PublishRequest& request) noexcept {
    return 2 + request.topic.size() + (version == Version::v5 ? 1 : 0) + request.payload.size();
}

} // namespace

bool is_plain(const PublishRequest& request) noexcept {
    return !request.ttl && request.priority == 0 && request.properties.empty();
}

bool fits_a_run(const PublishRequest& request) noexcept {
    return request.qos == QoS::at_most_once && is_plain(request);
}

std::size_t run_size(Version version, const PublishRequest& request) noexcept {
    const std::size_t body = body_size(version, request);
    return 1 + varint_size(body) + body;
}

void write_to_run(Version version, const PublishRequest& request, char* to) noexcept {
    Writer writer(to);
    writer.u8(publish | (request.retain ? retained : 0));
    writer.varint(body_size(version, request));
    writer.string(request.topic);
    if (version == Version::v5) writer.varint(0);
    writer.raw(request.payload);
}

PublishRequest take_from_run(Version version, Octets& run) noexcept {
    const auto header = read_fixed_header(run);
    const auto frame = frame_of(run.substr(0, header.total), header.size);
    run.remove_prefix(header.total);
    const std::size_t topic = big_endian(frame.body.substr(0, 2));
    return {.topic = frame.body.substr(2, topic),
            .payload = frame.body.substr(2 + topic + (version == Version::v5 ? 1 : 0)),
            .retain = (frame.first & retained) != 0,
            .checked = true};
}

} // namespace tortoise::core
